"""Rows of the fault catalogue that a server can play."""

from typing import Any

import pytest
from cqrs_openobserve.ledger import SignalLedger
from cqrs_openobserve.testing import POISON, ROWS, Hang, Received, Reply, Reset, rows
from cqrs_openobserve.testing.rows import always, first


def request(*numbers: int, path: str = "/api/default/s/_json") -> Received:
    body = ",".join(f'{{"n":{number}}}' for number in numbers)
    return Received("POST", path, {}, f"[{body}]".encode())


def numbers(received: Received) -> list[int]:
    return [int(str(row["n"])) for row in received.rows]


def test_rows_are_found_by_their_number() -> None:
    """With their variants, each under its own key."""
    assert [row.id for row in rows("A6")] == ["A6.before", "A6.headers", "A6.body"]
    assert [row.id for row in rows("A20")] == ["A20"]
    assert all(key == row.id and row.number in key for key, row in ROWS.items())


def test_each_row_begins_anew() -> None:
    """What one server has played does not count for the next."""
    begin = ROWS["A6.before"].begin
    assert [begin(numbers)(request(1)) for _ in range(2)] == [Reset(), Reset()]


def test_faults_come_in_turn_and_then_all_is_stored() -> None:
    """Or always the same one; a fault may look at the request."""
    schedule = first(Hang(), lambda received: Reply(len(received.rows)))
    assert [schedule(request(1, 2)) for _ in range(2)] == [Hang(), Reply(2)]
    assert schedule(request(1, 2)).body.count(b'"successful": 2') == 1  # type: ignore[union-attr]  # a Reply
    assert [always(Hang())(request(1)) for _ in range(2)] == [Hang(), Hang()]


def test_a_poisoned_batch_is_refused_for_its_bad_record() -> None:
    """Whatever else is in it, and nothing else is."""
    schedule = ROWS["A14"].begin(numbers)
    assert [getattr(schedule(request(*each)), "status", 0) for each in ((1, POISON), (1, 2))] == [400, 200]


@pytest.mark.parametrize(
    ("row", "books", "same"),
    [
        ("A3", {"delivered": 5, "waiting": 0, "dropped": {}}, True),
        ("A3", {"delivered": 4, "waiting": 1, "dropped": {}}, False),
        ("A20", {"delivered": 0, "waiting": 2, "spooled": 3, "dropped": {}}, True),
        ("A8", {"delivered": 4, "waiting": 0, "dropped": {"rejected_record": 1}}, True),
        ("A8", {"delivered": 4, "waiting": 0, "dropped": {"unaccounted": 1}}, False),
        ("A9", {"delivered": 0, "waiting": 0, "dropped": {"unaccounted": 5}}, True),
        ("A9", {"delivered": 5, "waiting": 0, "dropped": {}}, False),
    ],
)
def test_a_row_knows_what_it_may_cost(row: str, books: dict[str, Any], *, same: bool) -> None:
    """Compared with an exporter's books, which have to balance."""
    difference = ROWS[row].differs(5, SignalLedger("logs", accepted=5, **books))
    assert (difference == "") is same
    assert same or row in difference
