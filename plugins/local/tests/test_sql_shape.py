"""What kind of query a text is."""

import pytest
from cqrs_local.sql_shape import shape_of, with_timestamp

PLAIN = [
    "SELECT * FROM s",
    'select a, b AS c from "s" where x = (1) limit 5',
    "SELECT a FROM s ORDER BY a DESC LIMIT 1 OFFSET 2",
    "/* SELECT count(*) */ SELECT upper(a) FROM s AS t -- GROUP BY",
]
NOT_PLAIN = [
    "SELECT count(*) FROM s",
    "SELECT DISTINCT a FROM s",
    "SELECT a FROM s GROUP BY a",
    "SELECT a FROM s, t",
    "SELECT a FROM s JOIN t ON s.a = t.a",
    "SELECT a FROM (SELECT a FROM s) t",
    "WITH t AS (SELECT a FROM s) SELECT a FROM t",
    "SELECT a FROM s UNION ALL SELECT a FROM t",
    "SELECT row_number() OVER (ORDER BY a) FROM s",
    "SELECT 1",
    "DELETE FROM s",
    "SELECT a FROM generate_series(1, 2)",
]


@pytest.mark.parametrize("sql", PLAIN)
def test_a_query_of_the_records_of_one_stream_is_plain(sql: str) -> None:
    """Comments and literals do not matter."""
    assert shape_of(sql).plain


@pytest.mark.parametrize("sql", NOT_PLAIN)
def test_anything_else_is_not_plain(sql: str) -> None:
    """What groups, joins, nests or is no query is left as it is."""
    assert not shape_of(sql).plain


@pytest.mark.parametrize(
    ("sql", "count"),
    [("", 0), ("SELECT 1", 1), ("SELECT 1;", 1), ("SELECT 1; SELECT 2", 2), ("SELECT ';'", 1), (";;", 0)],
)
def test_statements_are_counted(sql: str, count: int) -> None:
    """A semicolon in a text or at the end makes no further statement."""
    assert shape_of(sql).statements == count


@pytest.mark.parametrize(
    ("sql", "order"),
    [
        ("SELECT a FROM s", ()),
        ("SELECT a FROM s ORDER BY a", (("a", "asc"),)),
        ('SELECT a FROM s ORDER BY "B" DESC NULLS LAST, c LIMIT 3', (("B", "desc"), ("c", "asc"))),
        ("SELECT a FROM (SELECT a FROM s ORDER BY a) t", ()),
    ],
)
def test_the_outermost_order_is_read(sql: str, order: tuple[tuple[str, str], ...]) -> None:
    """Names with their directions."""
    assert shape_of(sql).order == order


def test_every_name_is_found() -> None:
    """Streams are among the names, quoted or not, wherever they stand; texts are not."""
    names = shape_of("SELECT a FROM S JOIN \"My T\" ON x IN (SELECT y FROM u) WHERE z = 'v'").names

    assert {"s", "My T", "u"} <= names
    assert "v" not in names


@pytest.mark.parametrize(
    ("sql", "after"),
    [
        ("SELECT a FROM s", 'SELECT "_timestamp",  a FROM s ORDER BY "_timestamp" DESC '),
        ("SELECT * FROM s", 'SELECT * FROM s ORDER BY "_timestamp" DESC '),
        ("SELECT t.* FROM s t;", 'SELECT t.* FROM s t ORDER BY "_timestamp" DESC '),
        ("SELECT a FROM s LIMIT 1", 'SELECT "_timestamp",  a FROM s  ORDER BY "_timestamp" DESC LIMIT 1'),
        ("SELECT a, _timestamp FROM s ORDER BY a", "SELECT a, _timestamp FROM s ORDER BY a"),
        ("SELECT a * 2 FROM s -- LIMIT", 'SELECT "_timestamp",  a * 2 FROM s  ORDER BY "_timestamp" DESC '),
    ],
)
def test_a_plain_query_gets_its_time_and_its_order(sql: str, after: str) -> None:
    """The column where it is missing, the order before any LIMIT, neither twice."""
    assert with_timestamp(sql) == after


def test_calls_are_names_before_a_parenthesis() -> None:
    """In any case and quoted too; comments and spaces between do not hide them, texts are none."""
    shape = shape_of("SELECT Count(*), \"repeat\" /* x */ ('a', 2), 'lpad(' FROM s, range(1, 2)")

    assert shape.calls == {"count", "repeat", "range"}
