"""The query bus: one dictionary look-up from a query to the pipeline around its handler."""

from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar, final

from returns.result import Result

from cqrs.caching import CacheControl, asking
from cqrs.faults import Fault
from cqrs.messages import Query
from cqrs.middleware import Next
from cqrs.unanswered import Gate, answer_with, not_found

Value = TypeVar("Value")
Error = TypeVar("Error")


@final
class QueryBus:
    """Sends each query to its handler; inject it by this type.

    Args:
        pipelines: one per query class; the app fills it when it starts and empties it when it stops.
        gate: why there is no pipeline, if not for want of a handler.
    """

    __slots__ = ("_gate", "_pipelines")

    def __init__(self, pipelines: Mapping[type, Next], gate: Gate) -> None:
        self._pipelines = pipelines
        self._gate = gate

    def execute(
        self, query: Query[Value, Error], /, *, cache: CacheControl | None = None
    ) -> Coroutine[Any, Any, Result[Value, Error | Fault]]:
        """Answer a query.

        Args:
            query: the query.
            cache: what is asked of a cache of answers; without one it has no effect.

        Returns:
            What the handler returned, or a ``Failure`` with a ``Fault``; awaiting it raises nothing but cancellation.
        """
        try:
            pipeline = self._pipelines[type(query)]
        except KeyError:
            return answer_with(self._gate.fault or not_found(query, self._pipelines))
        return pipeline(query) if cache is None else asking(cache, pipeline, query)
