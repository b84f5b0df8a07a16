"""Reference §9 and §13.3: SQL, and what is said when it cannot run."""

import time
import uuid
from base64 import b64encode
from typing import Any

import pytest


def now() -> int:
    """Microseconds."""
    return time.time_ns() // 1000


@pytest.fixture(scope="module")
def filled(server: Any) -> str:
    """Ten records in a stream."""
    stream = f"contract_{uuid.uuid4().hex[:12]}"
    records = [
        {"n": at, "message": f"Order {at}", "_timestamp": now() - (10 - at) * 1000} for at in range(10)
    ]
    assert server.status(stream, records)["successful"] == 10
    assert len(server.hits(f'SELECT n FROM "{stream}"', rows=10)) == 10
    return stream


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT n FROM {s}", list(range(9, -1, -1))),
        ("SELECT n FROM {s} ORDER BY n LIMIT 2", [0, 1]),
        ("SELECT count(*) AS n FROM {s}", [10]),
        ("SELECT sum(n) / count(*) AS n FROM {s}", [4]),
        (
            "SELECT approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY TRY_CAST(n AS DOUBLE)) AS n FROM {s}",
            [4.5],
        ),
        ("SELECT n FROM {s} WHERE str_match(message, 'Order 3')", [3]),
        ("SELECT n FROM {s} WHERE str_match_ignore_case(message, 'order 3')", [3]),
        ("SELECT n FROM {s} WHERE re_match(message, '[12]$')", [2, 1]),
        ("SELECT n FROM {s} WHERE match_all('order 3')", [3]),
        ("SELECT count(*) AS n FROM {s} HAVING count(*) > 10", []),
        ("SELECT count(*) AS n FROM (SELECT n FROM {s} UNION ALL SELECT n FROM {s}) t", [20]),
    ],
)
def test_answers(server: Any, filled: str, sql: str, expected: list[float]) -> None:
    """Newest first, integers divided as integers, the server's own functions."""
    answer = server.search(sql.format(s=f'"{filled}"')).json()
    assert [hit["n"] for hit in answer["hits"]] == expected, answer
    assert answer["is_partial"] is False


@pytest.mark.parametrize(
    ("given", "rows"), [({"size": 3}, 3), ({"size": 0}, 10), ({"size": -1}, 10), ({"size": 3, "from": 8}, 2)]
)
def test_sizes(server: Any, filled: str, given: dict[str, int], rows: int) -> None:
    """0 is the default, -1 is all."""
    assert len(server.search(f'SELECT n FROM "{filled}"', **given).json()["hits"]) == rows


def test_histograms(server: Any, filled: str) -> None:
    """With and without an interval; every record once."""
    for call in ("histogram(_timestamp)", "histogram(_timestamp, '1 minute')"):
        sql = f'SELECT {call} AS t, count(*) AS n FROM "{filled}" GROUP BY t ORDER BY t'
        hits = server.search(sql).json()["hits"]
        assert sum(hit["n"] for hit in hits) == 10
        assert all(len(hit["t"]) == len("2026-01-01T00:00:00") for hit in hits)


@pytest.mark.parametrize(
    ("sql", "old", "new"),
    [
        ('SELECT * FROM "contract_nosuch"', (400, 20002), (400, 20002)),
        ("SELECT nofield FROM {s}", (400, 20008), (400, 20004)),
        ("SELECT nofn(n) FROM {s}", (400, 20005), (400, 20005)),
        ("SELEC x", (500, 500), (400, 400)),
        ("SELECT 1; SELECT 2", (500, 500), (400, 400)),
        ("DELETE FROM {s}", (400, 20008), (400, 20008)),
        ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", (400, 20002), (400, 20002)),
    ],
)
def test_refusals(server: Any, filled: str, sql: str, old: tuple[int, int], new: tuple[int, int]) -> None:
    """Status and code."""
    answer = server.search(sql.format(s=f'"{filled}"'))
    assert (answer.status_code, answer.json()["code"]) == (old if server.old else new), answer.text


def test_a_full_text_search_needs_a_field_for_it(server: Any, stream: str) -> None:
    """20003 unless the stream has one."""
    server.status(stream, [{"n": 1}])
    server.hits(f'SELECT n FROM "{stream}"')
    answer = server.search(f"SELECT n FROM \"{stream}\" WHERE match_all('x')")
    assert (answer.status_code, answer.json()["code"]) == (400, 20003)


def test_an_unknown_field_comes_with_the_known_ones(server: Any, filled: str) -> None:
    """On new versions as a hint."""
    answer = server.search(f'SELECT nofield FROM "{filled}"').json()
    if server.old:
        assert "No field named" in answer["error_detail"]
    else:
        assert "nofield" in answer["message"]
        assert "message" in answer["hint"]


def test_the_text_may_come_as_base64(server: Any, filled: str) -> None:
    """If the body says so."""
    sql = b64encode(f'SELECT count(*) AS n FROM "{filled}"'.encode()).decode()
    query = {"sql": sql, "start_time": now() - 3_600_000_000, "end_time": now() + 60_000_000}
    answer = server.api("POST", "_search?type=logs", json={"query": query, "encoding": "base64"})
    assert answer.json()["hits"] == [{"n": 10}], answer.text


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"query": {}}'])
def test_what_is_no_query(server: Any, body: bytes) -> None:
    """400; new versions say 422 to JSON of another form."""
    answer = server.api(
        "POST", "_search?type=logs", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == (400 if server.old or body == b"{" else 422), answer.text


def test_the_latest_traces_need_times(server: Any, stream: str) -> None:
    """400 that names the first that is missing."""
    answer = server.api("GET", f"{stream}/traces/latest")
    assert (answer.status_code, answer.json()["message"]) == (400, "start_time is empty")


def test_the_keys_of_an_answer(server: Any, filled: str) -> None:
    """Those that clients read."""
    answer = server.search(f'SELECT n FROM "{filled}"', size=3).json()
    assert {
        "took",
        "hits",
        "total",
        "from",
        "size",
        "scan_size",
        "scan_records",
        "is_partial",
        "trace_id",
    } <= set(answer)
    assert (answer["from"], answer["size"], answer["is_partial"]) == (0, 3, False)


def test_times(server: Any, filled: str) -> None:
    """Missing: 500 on old versions, 422 on new ones; the wrong way round: 500, 400."""
    missing = server.api("POST", "_search?type=logs", json={"query": {"sql": f'SELECT * FROM "{filled}"'}})
    reversed_ = server.search(f'SELECT * FROM "{filled}"', start_time=2, end_time=1)
    assert (missing.status_code, reversed_.status_code) == ((500, 500) if server.old else (422, 400))


def test_a_cast_that_fails_is_told(server: Any, filled: str) -> None:
    """On new versions as a partial 200: both have to be looked at."""
    answer = server.search(f'SELECT sum(CAST(message AS BIGINT)) AS n FROM "{filled}"')
    assert answer.status_code != 200 or (answer.json()["is_partial"], answer.json()["hits"]) == (True, [])
