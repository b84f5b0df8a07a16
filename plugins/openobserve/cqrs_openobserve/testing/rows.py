"""Rows of the fault catalogue that a server can play, by their number, each with what it may cost."""

import gzip
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final, Literal, final

import attrs

from cqrs_openobserve.ledger import Reason, SignalLedger
from cqrs_openobserve.testing.fault_server import (
    Behaviour,
    Drip,
    Hang,
    Received,
    Reply,
    Reset,
    store_all,
    stored,
)

Schedule = Callable[[Received], Behaviour]
Numbers = Callable[[Received], Sequence[int]]
Fate = Literal["delivered", "kept", "lost", "one lost"]

POISON: Final = 3
_MOST_AT_ONCE: Final = 4
_ELSEWHERE: Final = "http://elsewhere.invalid/x?secret=1"


@final
@attrs.frozen(eq=False)
class Row:
    """A row, or one of its variants.

    Attributes:
        id: the row's number, and behind a dot the variant: ``A6.body``.
        fault: what the server does.
        begin: makes the schedule for a ``FaultServer``, from what reads the numbers of a request's records; a record
            with the number ``POISON`` is the bad one of rows about bad records.
        fate: what becomes of records that are offered to an exporter: ``delivered`` all of them in the end, ``kept``
            for as long as it lasts, ``lost`` all of them, or ``one lost``.
        reason: why what is lost is lost.
    """

    id: str
    fault: str
    begin: Callable[[Numbers], Schedule]
    fate: Fate
    reason: Reason | None = None

    @property
    def number(self) -> str:
        """The row's number."""
        return self.id.partition(".")[0]

    def differs(self, offered: int, books: SignalLedger) -> str:
        """Say in what an exporter's books differ from what the row may cost; empty if in nothing.

        Args:
            offered: how many records it was offered.
            books: its books, once it had time for a few requests.
        """
        lost = {"delivered": 0, "kept": 0, "lost": offered, "one lost": 1}[self.fate]
        delivered = 0 if self.fate == "kept" else offered - lost
        dropped: Mapping[Reason, int] = {self.reason: lost} if self.reason is not None and lost else {}
        same = books.balanced and books.accepted == offered and books.delivered == delivered
        return (
            "" if same and books.dropped == dropped else f"{self.id}, {self.fault}: {offered} became {books}."
        )


def first(*faults: Behaviour | Schedule) -> Schedule:
    """Answer with faults in turn, then store everything.

    Args:
        faults: one for each request.
    """
    left = list(faults)

    def behave(received: Received) -> Behaviour:
        return _behaved(left.pop(0) if left else store_all, received)

    return behave


def always(fault: Behaviour | Schedule) -> Schedule:
    """Answer every request alike.

    Args:
        fault: how.
    """
    return lambda received: _behaved(fault, received)


def rows(number: str) -> Iterator[Row]:
    """Give the variants of a row.

    Args:
        number: of the row, for example ``A6``.
    """
    return (row for row in ROWS.values() if row.number == number)


def _behaved(fault: Behaviour | Schedule, received: Received) -> Behaviour:
    # Only records can be looked into: what is not JSON is stored by a schedule that does.
    if not callable(fault):
        return fault
    return fault(received) if _has_rows(received) else store_all(received)


def _has_rows(received: Received) -> bool:
    return received.path.endswith("/_json")


def _refusing(stored_too: int, text: str = "Too old data") -> Schedule:
    # One record of each request is refused, or all of them.
    def behave(received: Received) -> Behaviour:
        records = len(received.rows)
        good = records - 1 if stored_too else 0
        return stored(good, records - good, text)

    return behave


def _poisoned(status: int, most: int = 10_000) -> Callable[[Numbers], Schedule]:
    def begin(numbers: Numbers) -> Schedule:
        def behave(received: Received) -> Behaviour:
            found = numbers(received) if _has_rows(received) else ()
            bad = len(found) > most or POISON in found
            return Reply(status, b'{"code":400,"message":"bad"}') if bad else store_all(received)

        return behave

    return begin


def _slow(received: Received) -> Behaviour:
    time.sleep(0.2)
    return store_all(received)


def _partly(received: Received) -> Behaviour:
    return Reply(206, stored(len(received.rows) - 1, 1).body)


def _with_cookie(received: Received) -> Behaviour:
    return Reply(200, stored(len(received.rows)).body, {"Set-Cookie": "auth_tokens=x"})


def _six_hours_ahead(received: Received) -> Behaviour:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=6), usegmt=True)
    return Reply(200, stored(0, len(received.rows), "Too old data").body, {"Date": date})


def _only_traces_down(received: Received) -> Behaviour:
    return Reply(503) if received.path.endswith("/traces") else store_all(received)


def _bomb(encodings: str) -> Schedule:
    packed = gzip.compress(b"\0" * 200_000_000, 1)
    body = gzip.compress(packed) if "," in encodings else packed
    return always(Reply(200, body, {"Content-Encoding": encodings}))


def _asking_to_wait(retry_after: str) -> Callable[[Numbers], Schedule]:
    return lambda _: first(Reply(429, headers={"Retry-After": retry_after}))


def _played(make: Callable[[], Schedule]) -> Callable[[Numbers], Schedule]:
    return lambda _: make()


def _once(*faults: Behaviour | Schedule) -> Callable[[Numbers], Schedule]:
    return lambda _: first(*faults)


def _ever(fault: Behaviour | Schedule) -> Callable[[Numbers], Schedule]:
    return lambda _: always(fault)


_HALF_A_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Le"
_HALF_A_BODY: Final = b"HTTP/1.1 200 OK\r\n\r\n{"
_DRIPPED_BODY: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
_YESTERDAY: Final = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)

_NETWORK: Final = (
    Row("A3", "takes a request and never answers", _once(Hang()), "delivered"),
    Row("A4.headers", "drips its headers", _once(Drip(0.02)), "delivered"),
    Row("A4.body", "drips its body", _once(Drip(0.02, _DRIPPED_BODY)), "delivered"),
    Row("A6.before", "resets before it answers", _once(Reset()), "delivered"),
    Row("A6.headers", "resets within its headers", _once(Reset(_HALF_A_HEAD)), "delivered"),
    Row("A6.body", "resets within its body", _once(Reset(_HALF_A_BODY)), "delivered"),
    Row("A7", "closes an idle connection", _once(store_all, Reset()), "delivered"),
    Row("A8", "refuses one record", _once(_refusing(1)), "one lost", "rejected_record"),
    Row("A9", "counts nothing", _ever(stored(0)), "lost", "unaccounted"),
    Row("A10.page", "is a captive portal", _ever(Reply(200, b"<html>Log in</html>")), "lost", "unaccounted"),
    Row("A10.empty", "answers with nothing", _ever(Reply(200)), "lost", "unaccounted"),
    Row("A10.torn", "answers half", _ever(Reply(200, b'{"code":200,"sta')), "lost", "unaccounted"),
    Row("A11.204", "answers 204", _ever(Reply(204)), "lost", "unaccounted"),
    Row("A11.206", "stores all but one", _once(_partly), "one lost", "rejected_record"),
    Row("A14", "refuses a batch for one record", _poisoned(400), "one lost", "rejected_record"),
    Row("A16", "does not know the path", _ever(Reply(404, b"Organization not found")), "kept"),
    Row("A17", "finds a batch too large", _poisoned(413, _MOST_AT_ONCE), "one lost", "rejected_record"),
    Row("A18.seconds", "asks to wait a second", _asking_to_wait("1"), "delivered"),
    Row("A18.past", "asks to wait until yesterday", _asking_to_wait(_YESTERDAY), "delivered"),
    Row("A18.words", "asks to wait abc", _asking_to_wait("abc"), "delivered"),
    Row("A18.negative", "asks to wait -1", _asking_to_wait("-1"), "delivered"),
    Row("A18.infinite", "asks to wait 1e309", _asking_to_wait("1e309"), "delivered"),
    Row("A18.hour", "asks to wait an hour", _asking_to_wait("3600"), "kept"),
    Row("A20", "answers 503 for ever", _ever(Reply(503)), "kept"),
    Row("A21", "is slow", _ever(_slow), "delivered"),
    Row("A22", "stores everything", _ever(store_all), "delivered"),
    Row("A23.once", "sends a bomb", _played(lambda: _bomb("gzip")), "lost", "unaccounted"),
    Row("A23.twice", "sends a bomb in a bomb", _played(lambda: _bomb("gzip, gzip")), "lost", "unaccounted"),
    Row("A27", "sets a cookie", _ever(_with_cookie), "delivered"),
    Row("A29", "has a clock 6 h ahead", _ever(_six_hours_ahead), "lost", "rejected_record"),
    Row("A30", "stores, and does not say so", _once(Hang()), "delivered"),
    Row("A31", "takes no spans", lambda _: _only_traces_down, "delivered"),
)
_BY_STATUS: Final = (
    *(
        Row(f"A12.{status}", "redirects", _ever(Reply(status, headers={"Location": _ELSEWHERE})), "kept")
        for status in (301, 302, 307, 308)
    ),
    *(
        Row(f"A15.{status}", "refuses the token", _ever(Reply(status, b"Unauthorized")), "kept")
        for status in (401, 403)
    ),
    *(
        Row(f"A19.{status}", "stumbles twice", _once(Reply(status), Reply(status)), "delivered")
        for status in (500, 502, 503, 504)
    ),
)
_NESTED: Final = b'{"status":' + b"[" * 2_000 + b"]" * 2_000 + b"}"
_ABSURD: Final = b'{"code":200,"status":[{"successful":-5,"failed":99999999999999999999}]}'
_INFINITE: Final = b'{"code":200,"status":[{"successful":1e309,"failed":0}]}'
_EVIL: Final = b"\x1b[2J\x00\r\n\xe2\x80\xaeevil" * 1_000
_ATTACKS: Final = (
    Row("H8.deep", "nests without end", _ever(Reply(200, b"[" * 500_000)), "lost", "unaccounted"),
    Row("H8.nested", "nests 2 000 deep", _ever(Reply(200, _NESTED)), "lost", "unaccounted"),
    Row("H8.absurd", "counts below zero", _ever(Reply(200, _ABSURD)), "lost", "unaccounted"),
    Row("H8.infinite", "counts infinitely many", _ever(Reply(200, _INFINITE)), "lost", "unaccounted"),
    Row("H8.text", "sends control characters", _ever(Reply(400, _EVIL)), "lost", "rejected_record"),
    Row("H8.long", "answers 5 MB", _ever(Reply(200, b"x" * 5_000_000)), "lost", "unaccounted"),
    Row("H8.headers", "sends a huge header", _ever(Reply(200, b"", {"X-Large": "y" * 200_000})), "kept"),
    Row("H8.wait", "asks for an absurd wait", _ever(Reply(429, b"", {"Retry-After": "9" * 5_000})), "kept"),
    Row(
        "H8.inwards",
        "redirects inwards",
        _ever(Reply(307, b"", {"Location": "http://169.254.169.254/\x01"})),
        "kept",
    ),
    Row("H8.drip", "drips for ever", _ever(Drip(0.01)), "kept"),
    Row("H8.hang", "hangs for ever", _ever(Hang()), "kept"),
)

ROWS: Final[Mapping[str, Row]] = {row.id: row for row in (*_NETWORK, *_BY_STATUS, *_ATTACKS)}
