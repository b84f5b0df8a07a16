"""SQL over streams, over HTTP."""

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cqrs_local.limits import Limits

ORDERS = [{"a": at, "kind": "even" if at % 2 == 0 else "odd", "message": f"order {at}"} for at in range(10)]
FOREVER = "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n FROM t) SELECT count(*) AS n FROM t, s"


@pytest.fixture
async def orders(api: Any) -> Any:
    """Ten records, half of them in a segment, a millisecond apart, the last one newest."""
    now = api.server._backend.store.now()
    records = [{**order, "_timestamp": now - (10 - at) * 1000} for at, order in enumerate(ORDERS)]
    await api.ingest("orders", records[:5])
    await api.flush()
    await api.ingest("orders", records[5:])
    return api


async def values(api: Any, sql: str, **query: object) -> list[object]:
    return [hit["a"] for hit in await api.hits(sql, **query)]


async def test_records_come_newest_first(orders: Any) -> None:
    """Without an ORDER BY, over memory and segments."""
    assert await values(orders, "SELECT a FROM orders") == list(range(9, -1, -1))
    assert await values(orders, 'SELECT * FROM "orders" WHERE a < 4') == [3, 2, 1, 0]
    assert await values(orders, "WITH t AS (SELECT * FROM orders) SELECT * FROM t") == list(range(9, -1, -1))


async def test_an_order_of_the_query_stays(orders: Any) -> None:
    """And its time column is added all the same."""
    hits = await orders.hits("SELECT a FROM orders ORDER BY a LIMIT 2")

    assert [(hit["a"], "_timestamp" in hit) for hit in hits] == [(0, True), (1, True)]


@pytest.mark.parametrize(
    ("sql", "query", "expected"),
    [
        ("SELECT a FROM orders", {"size": 3}, [9, 8, 7]),
        ("SELECT a FROM orders", {"size": 3, "from": 2}, [7, 6, 5]),
        ("SELECT a FROM orders", {"size": 0}, list(range(9, 3, -1))),
        ("SELECT a FROM orders", {}, list(range(9, 3, -1))),
        ("SELECT a FROM orders", {"size": -1}, list(range(9, -1, -1))),
        ("SELECT a FROM orders LIMIT 8", {"size": 3}, list(range(9, 1, -1))),
        ("SELECT a FROM orders LIMIT 2 OFFSET 1", {"size": 3, "from": 5}, [8, 7]),
    ],
)
async def test_size_from_and_limit(
    open_api: Any, sql: str, query: dict[str, int], expected: list[int]
) -> None:
    """Size 0 or none is the default, -1 is all, LIMIT in the text wins."""
    api = await open_api(limits=Limits(default_rows=6))
    now = api.server._backend.store.now()
    await api.ingest(
        "orders", [{**order, "_timestamp": now - (10 - at) * 1000} for at, order in enumerate(ORDERS)]
    )

    assert await values(api, sql, **query) == expected


async def test_an_answer_has_a_limit_that_is_said(open_api: Any) -> None:
    """More rows than the server hands out: partial, with the reason, and no rows that look like all of them."""
    api = await open_api(limits=Limits(answer_rows=5))
    await api.ingest("s", [{"a": at} for at in range(6)])
    content = (await api.search("SELECT a FROM s", size=-1)).json()

    assert (content["is_partial"], content["hits"]) == (True, [])
    assert "more than 5 rows" in content["function_error"][0]
    assert len(await api.hits("SELECT a FROM s LIMIT 5")) == 5


async def test_the_time_range_holds_wherever_the_stream_is_read(orders: Any) -> None:
    """From the start on, before the end; in joins, sub-selects and unions too."""
    now = orders.server._backend.store.now()
    hits = await orders.hits("SELECT a, _timestamp FROM orders")
    third = hits[6]["_timestamp"]
    asked = {"start_time": third, "end_time": third + 2000}
    sql = "SELECT count(*) AS n FROM (SELECT a FROM orders UNION ALL SELECT x.a FROM orders x JOIN orders y ON x.a = y.a) t"

    assert await values(orders, "SELECT a FROM orders", **asked) == [4, 3]
    assert await orders.hits(sql, **asked) == [{"n": 4}]
    assert await orders.hits("SELECT a FROM orders", start_time=now, end_time=now) == []


async def test_streams_can_be_joined_united_and_nested(orders: Any) -> None:
    """Whatever the engine knows."""
    await orders.ingest("kinds", [{"name": "even", "weight": 2}, {"name": "odd", "weight": 3}])
    sql = (
        "WITH heavy AS (SELECT o.a, k.weight FROM orders o JOIN kinds k ON o.kind = k.name) "
        "SELECT sum(weight) AS w, approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY a) AS p, "
        "approx_percentile_cont(a, 0.5) AS q FROM heavy"
    )
    (hit,) = await orders.hits(sql)

    assert (hit["w"], hit["p"]) == (25, hit["q"])
    assert await orders.hits(
        "SELECT count(*) AS n FROM (SELECT a FROM orders UNION ALL SELECT weight FROM kinds) t"
    ) == [{"n": 12}]


async def test_integer_division_is_that_of_the_server(orders: Any) -> None:
    """A share without a point is 0: alerts are written with 100.0."""
    sql = "SELECT sum(CASE WHEN kind = 'odd' THEN 1 ELSE 0 END) / count(*) AS r, sum(CASE WHEN kind = 'odd' THEN 1 ELSE 0 END) * 100.0 / count(*) AS pct FROM orders"

    assert await orders.hits(sql) == [{"r": 0, "pct": 50.0}]


async def test_histogram_counts_every_record_once(orders: Any) -> None:
    """Buckets of the interval, in order, as texts without a zone."""
    content = (
        await orders.search(
            "SELECT histogram(_timestamp, '1 second') AS t, count(*) AS n FROM orders GROUP BY t ORDER BY t"
        )
    ).json()

    assert sum(hit["n"] for hit in content["hits"]) == 10
    assert all(len(hit["t"]) == len("2026-11-23T06:45:00") for hit in content["hits"])
    assert content["histogram_interval"] == 1
    assert content["order_by_metadata"] == [["t", "asc"]]


async def test_text_functions(orders: Any) -> None:
    """match_all looks at the default text fields and at those of the settings."""
    await orders.http.put(
        "/api/default/streams/orders/settings", json={"full_text_search_keys": {"add": ["kind"]}}
    )

    assert await values(orders, "SELECT a FROM orders WHERE match_all('ORDER 3')") == [3]
    assert len(await values(orders, "SELECT a FROM orders WHERE match_all('eve')")) == 5
    assert await values(orders, "SELECT a FROM orders WHERE str_match(message, 'order 7')") == [7]
    assert await values(orders, "SELECT a FROM orders WHERE str_match_ignore_case(message, 'Order 7')") == [7]
    assert await values(orders, "SELECT a FROM orders WHERE re_match(message, '[12]$')") == [2, 1]
    assert len(await values(orders, "SELECT a FROM orders WHERE re_not_match(message, '[12]$')")) == 8


@pytest.mark.parametrize(
    ("sql", "status", "code", "said"),
    [
        ("SELECT * FROM nosuch", 400, 20002, "Search stream not found: nosuch"),
        ('SELECT * FROM "my-orders"', 400, 20002, "Search stream not found: my-orders"),
        ("SELECT * FROM '/etc/passwd'", 400, 20002, "Search stream not found: /etc/passwd"),
        ("SELECT * FROM information_schema.tables, orders", 400, 20002, "Search stream not found: tables"),
        ("SELECT * FROM pg_catalog.pg_class, orders", 400, 20002, "pg_class"),
        ("SELECT nofield FROM orders", 400, 20004, "unknown field 'nofield'"),
        ("SELECT o.nofield FROM orders o", 400, 20004, "unknown field 'nofield'"),
        ("SELECT nofn(a) FROM orders", 400, 20005, "unknown function 'nofn'"),
        ("SELECT repeat('x', 2000000000) FROM orders", 400, 20005, "unknown function 'repeat'"),
        ("SELECT \"repeat\" ('x', 2000000000) FROM orders", 400, 20005, "unknown function 'repeat'"),
        (
            "SELECT count(*) FROM orders, GENERATE_SERIES(1, 10)",
            400,
            20005,
            "unknown function 'generate_series'",
        ),
        ("SELEC x", 400, 400, "Error# SQL error: ParserError"),
        ("", 400, 400, "Error# Stream name is empty"),
        ("SELECT 1", 400, 400, "Error# Stream name is empty"),
        ("SELECT * FROM generate_series(1, 10)", 400, 400, "Error# Stream name is empty"),
        ("SELECT 1 FROM orders; SELECT 2 FROM orders", 400, 400, "Error# Stream name is empty"),
        ("SELECT match_all('x') FROM nosuch", 400, 20002, "Search stream not found"),
        ("SELECT histogram(_timestamp, 'soon') FROM orders", 400, 20001, "Invalid interval 'soon'"),
        ("DELETE FROM orders", 400, 20008, "Search SQL execute error"),
        ("INSERT INTO orders VALUES (1)", 400, 20008, "INSERT"),
        ("WITH t AS (SELECT 1) INSERT INTO orders SELECT * FROM t", 400, None, ""),
        ("COPY orders TO '/tmp/stolen.csv'", 400, 20008, "COPY"),
        ("SET datafusion.execution.batch_size = 1", 400, 20008, "SET"),
        (
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            400,
            20002,
            "Search stream not found: t",
        ),
        ("CREATE EXTENSION x", 400, 20008, "CREATE"),
        ("SHOW TABLES", 400, 20008, "SHOW"),
        ("EXPLAIN SELECT * FROM orders", 400, 20008, "EXPLAIN"),
        ("SELECT * INTO t FROM orders", 400, 20008, ""),
        ("VALUES (1)", 400, 20008, "VALUES"),
        ("SELECT * FROM 'file:///etc/passwd'", 400, 20002, "Search stream not found"),
        ('SELECT * FROM "/data.parquet"', 400, 20002, "Search stream not found"),
        ("SELECT * FROM orders, read_parquet('/data.parquet')", 400, 20008, "read_parquet"),
        (f"SELECT {'(' * 5_000}1{')' * 5_000} FROM orders", 400, 400, "RecursionLimitExceeded"),
        (f"SELECT {'+'.join(['a'] * 20_000)} FROM orders", 400, 400, "OperatorLimitExceeded"),
        (f"SELECT a FROM orders WHERE {' OR '.join(['a = 1'] * 5_000)}", 400, 400, "OperatorLimitExceeded"),
        ("SELECT approx_percentile_cont(message, 0.5) FROM orders", 400, 20008, ""),
        ("SELECT a FROM orders WHERE message ~ '('", 200, None, ""),
        ("SELECT $1 FROM orders", 200, None, ""),
    ],
)
async def test_what_cannot_run_is_refused_in_the_words_of_the_server(
    orders: Any, sql: str, status: int, code: int | None, said: str
) -> None:
    """Status, code and text; the server goes on."""
    answer = await orders.search(sql)
    content = answer.json()

    assert answer.status_code == status, answer.text
    assert code is None or content["code"] == code, answer.text
    assert said in answer.text, answer.text
    assert status == 400 or content["is_partial"], answer.text
    assert await orders.hits("SELECT count(*) AS n FROM orders") == [{"n": 10}]


async def test_the_hint_lists_the_columns(orders: Any) -> None:
    """Sorted, those of the streams that the query names."""
    content = (await orders.search("SELECT nofield FROM orders")).json()

    assert content["hint"] == "valid fields: _timestamp, a, kind, message"


async def test_a_cast_that_fails_while_running_is_partial(orders: Any) -> None:
    """200 without hits: a client has to look at is_partial."""
    content = (await orders.search("SELECT sum(CAST(message AS BIGINT)) AS s FROM orders")).json()

    assert (content["is_partial"], content["hits"], content["total"]) == (True, [], 0)
    assert "Cannot cast string" in content["function_error"][0]
    assert content["function_error"][1] == "Please be aware that the response is based on partial data"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "Failed to parse the request body as JSON"),
        (b"[]", 422, "invalid type: sequence"),
        (b"{}", 422, "missing field `query`"),
        (b'{"query": {}}', 422, "query: missing field `sql`"),
        (b'{"query": {"sql": 1}}', 422, "query.sql: invalid type: integer `1`"),
        (b'{"query": {"sql": "x"}}', 422, "query: missing field `start_time`"),
        (b'{"query": {"sql": "x", "start_time": "now", "end_time": 1}}', 422, 'invalid type: string "now", expected i64'),
        (b'{"query": {"sql": "x", "start_time": 1.5, "end_time": 1}}', 422, "floating point"),
        (b'{"query": {"sql": "x", "start_time": true, "end_time": 1}}', 422, "boolean"),
        (b'{"query": {"sql": "x", "start_time": 2, "end_time": 1}}', 400, "Error# [file_list] invalid time range"),
        (b'{"query": {"sql": "x", "start_time": 1, "end_time": 1, "size": "3"}}', 422, "query.size"),
        (b'{"query": {"sql": "!", "start_time": 1, "end_time": 1}, "encoding": "base64"}', 400, "not base64"),
        (b'{"query": {"sql": "%s", "start_time": 1, "end_time": 1}}' % (b"x" * 300_000), 400, "longer than"),
    ],
)  # fmt: skip
async def test_a_wrong_body_is_refused(api: Any, body: bytes, status: int, said: str) -> None:
    """What is missing or of another type is named."""
    answer = await api.http.post("/api/default/_search", content=body)

    assert (answer.status_code, said in answer.text) == (status, True), answer.text


async def test_the_text_may_be_base64(orders: Any) -> None:
    """For clients that send it so."""
    query = {
        "sql": b64encode(b"SELECT count(*) AS n FROM orders").decode(),
        "start_time": 0,
        "end_time": 2**62,
    }
    answer = await orders.http.post("/api/default/_search", json={"query": query, "encoding": "base64"})

    assert answer.json()["hits"] == [{"n": 10}]


@pytest.mark.parametrize(
    "statement",
    [
        "COPY orders TO '{}'",
        "COPY (SELECT * FROM orders) TO '{}' STORED AS CSV",
        "CREATE EXTERNAL TABLE t (a INT) STORED AS CSV LOCATION '{}'; INSERT INTO t SELECT a FROM orders",
        "WITH t AS (SELECT 1) COPY orders TO '{}'",
        "/* a comment */ COPY orders TO '{}'",
        "EXPLAIN ANALYZE COPY orders TO '{}'",
    ],
)
async def test_no_statement_writes_a_file(orders: Any, tmp_path: Path, statement: str) -> None:
    """It is refused, and the file is not there."""
    target = tmp_path / "stolen.csv"
    answer = await orders.search(statement.format(target))

    assert answer.status_code == 400, answer.text
    assert not target.exists()


async def test_no_query_reads_a_file(orders: Any, tmp_path: Path) -> None:
    """Neither one that is named nor one that a stream's directory holds."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nsecret\n")
    for source in (
        f"'{secret}'",
        f'"{secret}"',
        f"'file://{secret}'",
        f"read_csv('{secret}')",
        f"'{tmp_path}/*.csv'",
    ):
        answer = await orders.search(f"SELECT * FROM {source}")

        assert (answer.status_code, "secret\n" in answer.text) == (400, False), answer.text


async def test_a_query_without_end_is_cancelled(open_api: Any) -> None:
    """408 after the limit, and the server goes on."""
    api = await open_api(limits=Limits(query_seconds=0.3))
    await api.ingest("s", [{"a": 1}])
    answer = await api.search(FOREVER)

    assert (answer.status_code, answer.json()["code"]) == (408, 20010)
    assert await api.hits("SELECT a FROM s LIMIT 1")


async def test_a_client_can_ask_for_less_time(api: Any) -> None:
    """The timeout of the request counts in seconds and never exceeds the limit of the server."""
    await api.ingest("s", [{"a": 1}])
    query = {"sql": FOREVER, "start_time": 0, "end_time": 2**62}
    answer = await api.http.post("/api/default/_search", json={"query": query, "timeout": 1})

    assert answer.status_code == 408


async def test_a_query_beyond_its_memory_is_refused(open_api: Any) -> None:
    """With the reason; the server goes on."""
    api = await open_api(limits=Limits(query_memory_bytes=1_000_000))
    await api.ingest("s", [{"a": at, "b": "x" * 50} for at in range(1500)])
    answer = await api.search(
        "SELECT x.b, array_agg(y.b) AS c FROM s x JOIN s y ON x.a + y.a > 10 GROUP BY x.b, y.a"
    )

    assert (answer.status_code, answer.json()["code"]) == (400, 20008)
    assert await api.hits("SELECT count(*) AS n FROM s") == [{"n": 1500}]


async def test_searches_during_ingestion_and_flushes_see_every_answered_record_once(api: Any) -> None:
    """At any moment: at least what was answered, nothing twice."""
    answered, done = 0, False

    async def ingest() -> None:
        nonlocal answered, done
        for batch in range(60):
            await api.ingest("s", [{"n": batch * 10 + at} for at in range(10)])
            answered += 10
            if batch % 9 == 4:
                await api.flush()
        done = True

    async def look() -> None:
        while not done:
            before = answered
            if before:
                (hit,) = await api.hits("SELECT count(*) AS n, count(DISTINCT n) AS d FROM s")
                assert hit["n"] == hit["d"] >= before
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(ingest())
        for _ in range(3):
            group.create_task(look())

    assert await api.hits("SELECT count(*) AS n FROM s") == [{"n": 600}]
