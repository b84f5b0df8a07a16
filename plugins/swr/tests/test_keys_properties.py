"""Keys of all kinds of queries: equal if and only if the queries are equal and of one type (I18)."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
from cqrs_swr.keys import Keys
from cqrs_swr.values import same
from hypothesis import given
from hypothesis import strategies as st

from cqrs import Query
from cqrs.caching import TENANT


@attrs.frozen
class Find(Query[str, str]):
    """A query that takes anything."""

    one: Any
    other: Any = None


atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.sampled_from([0.0, 1.0, -1.0, 0.5]),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.sampled_from(["0", "1", "None", "True", ""]),
    st.binary(max_size=3),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-9, max_value=9),
    st.dates(date(2024, 1, 1), date(2024, 1, 3)),
    st.integers(0, 3).map(lambda hours: datetime(2024, 1, 1, hours, tzinfo=UTC)),
    st.integers(0, 3).map(lambda hours: datetime(2024, 1, 1, hours, tzinfo=timezone(timedelta(hours=1)))),
)
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner),
        st.tuples(inner, inner),
        st.lists(inner, max_size=2),
        st.dictionaries(st.text(max_size=1) | st.integers(0, 2), inner, max_size=2),
    ),
    max_leaves=4,
)
queries = st.builds(Find, values, values)
KEYS = Keys(Find, "shop.Find", TENANT, None)


@given(queries, queries, st.sampled_from(["a", "b"]), st.sampled_from(["a", "b"]))
def test_key_equality_is_typed_equality(one: Find, other: Find, mine: str, yours: str) -> None:
    """Within a process and between processes alike, and never across tenants."""
    equal = mine == yours and same(one, other)

    assert (KEYS.local(one, (mine,)) == KEYS.local(other, (yours,))) is equal
    assert (KEYS.shared(one, (mine,)) == KEYS.shared(other, (yours,))) is equal


@given(queries)
def test_a_key_can_be_looked_up(query: Find) -> None:
    """Also of fields that cannot be hashed."""
    again = Find(query.one, query.other)

    assert {KEYS.local(query, ()): 1}[KEYS.local(again, ())] == 1
    assert Decimal(len(KEYS.shared(query, ()))) == 16
