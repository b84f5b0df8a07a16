"""What one dispatch asks of the cache, and how that travels from the bus to the cache in the pipeline."""

import math
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, Literal, Protocol, TypeVar, final

import attrs
from returns.result import Result

from cqrs.cache_policy import AnyQuery
from cqrs.faults import Fault
from cqrs.messages import Query

Value = TypeVar("Value")
Error = TypeVar("Error")


@final
@attrs.frozen
class CacheControl:
    """What one dispatch asks of the cache: ``queries.execute(query, cache=BYPASS)``; no effect where there is none.

    Attributes:
        kind: what is asked.
        seconds: the greatest age for ``max_age``.
    """

    kind: Literal["bypass", "refresh", "max_age", "only_if_cached"]
    seconds: float = math.inf


BYPASS: Final = CacheControl("bypass")
REFRESH: Final = CacheControl("refresh")
ONLY_IF_CACHED: Final = CacheControl("only_if_cached")


class Pipeline(Protocol):
    """What answers a query."""

    def __call__(self, query: Query[Value, Error], /) -> Coroutine[Any, Any, Result[Value, Error | Fault]]:
        """Answer it."""
        ...


# The class of the query that the control is for: a dispatch within its handler is not meant.
_asked: ContextVar[tuple[type, CacheControl] | None] = ContextVar("cqrs_cache_control", default=None)


async def asking(
    control: CacheControl, pipeline: Pipeline, query: Query[Value, Error]
) -> Result[Value, Error | Fault]:
    """Run a query's pipeline so that a cache in it finds what is asked of it.

    Args:
        control: what is asked.
        pipeline: the pipeline.
        query: the query.
    """
    token = _asked.set((type(query), control))
    try:
        return await pipeline(query)
    finally:
        with suppress(ValueError):  # given up with its event loop and closed in another context
            _asked.reset(token)


def take_control(query: AnyQuery) -> CacheControl | None:
    """Give what its dispatch asks of the cache, once: for the cache in the query's pipeline.

    Args:
        query: the query.
    """
    asked = _asked.get()
    if asked is None or asked[0] is not type(query):
        return None
    _asked.set(None)
    return asked[1]


def max_age(seconds: float) -> CacheControl:
    """Ask for an answer that is no older.

    Args:
        seconds: the greatest age.

    Raises:
        ValueError: if that is negative or not a number.
    """
    if not seconds >= 0:
        raise ValueError(f"max_age takes seconds from 0, not {seconds!r}")
    return CacheControl("max_age", seconds)
