import math
from typing import Any

import attrs
import pytest
from returns.result import Result, Success

from cqrs import Query
from cqrs.cache_control import (
    BYPASS,
    ONLY_IF_CACHED,
    REFRESH,
    CacheControl,
    asking,
    max_age,
    take_control,
)


@attrs.frozen
class Find(Query[str, str]):
    """A query."""

    order: int


@attrs.frozen
class List(Query[str, str]):
    """Another query."""


@pytest.mark.parametrize("seconds", [0, 0.5, 5, math.inf])
def test_the_greatest_age_is_kept_as_given(seconds: float) -> None:
    """0 asks for an answer of this instant."""
    assert max_age(seconds) == CacheControl("max_age", seconds)


@pytest.mark.parametrize("seconds", [-1, -0.001, math.nan, -math.inf])
def test_an_age_that_is_none_is_refused(seconds: float) -> None:
    """A negative age, or one that is no number, is misuse."""
    with pytest.raises(ValueError, match="max_age takes seconds from 0"):
        max_age(seconds)


def test_the_overrides_differ() -> None:
    """Each override is a value of its own."""
    assert len({BYPASS, REFRESH, ONLY_IF_CACHED, max_age(1), max_age(2)}) == 5


async def test_a_control_is_found_once_by_the_query_that_it_is_for() -> None:
    """The cache in the pipeline finds it; no other query does, nor a dispatch that the handler makes itself."""
    found: list[Any] = []

    async def pipeline(query: Any) -> Result[Any, Any]:
        found.extend([take_control(List()), take_control(query), take_control(query)])
        return Success("order 1")

    assert await asking(BYPASS, pipeline, Find(1)) == Success("order 1")
    assert found == [None, BYPASS, None]


async def test_a_control_ends_with_its_dispatch() -> None:
    """What nobody took, because no cache is there or the dispatch raised, is gone afterwards."""

    async def unmoved(_query: Any) -> Result[Any, Any]:
        return Success("order 1")

    async def raising(_query: Any) -> Result[Any, Any]:
        raise KeyboardInterrupt

    await asking(REFRESH, unmoved, Find(1))
    with pytest.raises(KeyboardInterrupt):
        await asking(REFRESH, raising, Find(1))

    assert take_control(Find(1)) is None
