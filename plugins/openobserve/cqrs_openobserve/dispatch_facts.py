"""What an observation says of a dispatch: how it ended, what its error is called."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Final, Protocol, final

import attrs
from returns.result import Failure, Result

from cqrs import HandlerCrashed
from cqrs.context import MessageContext
from cqrs.instrumentation import outcome_of
from cqrs.middleware import Kind
from cqrs_openobserve.encoding import as_text
from cqrs_openobserve.observations import Outcome

_LONGEST_STATUS: Final = 100


@final
@attrs.frozen
class Thresholds:
    """What is recorded, and what counts as slow.

    Attributes:
        level: the lowest level recorded: DEBUG, INFO, WARN or ERROR.
        slow_ms: per kind from how long on it counts as slow, in ms.
        measured: whether dispatches below the level are observed all the same, for metrics or late spans.
        error_texts: whether the text of errors is recorded.
    """

    level: str
    slow_ms: Mapping[Kind, int]
    measured: bool = False
    error_texts: bool = False

    def slow_ns(self, kind: Kind) -> int:
        """Give the threshold of a kind, in ns."""
        return self.slow_ms[kind] * 1_000_000


class Spans(Protocol):
    """Makes the spans of dispatches: ``spans.DispatchSpans``, which is loaded only if there is tracing."""

    @property
    def variable(self) -> ContextVar[object]:
        """What holds the OpenTelemetry context."""
        ...

    @property
    def open(self) -> Mapping[int, object]:
        """The real spans of dispatches that run, by span number."""
        ...

    def entering(
        self, name: str, attributes: Mapping[str, str], running: list[int]
    ) -> Callable[[MessageContext, object], object]:
        """Give the function that gives each dispatch its ids and span, and what to run it in."""
        ...

    def leave(self, context: MessageContext, outcome: str, error_type: str | None) -> bool:
        """End its span; says whether it had a real one."""
        ...

    def event(
        self, context: MessageContext, name: str, attributes: Mapping[str, str | int | float | bool]
    ) -> None:
        """Note something on its span."""
        ...


def outcome_and_error(answer: Result[object, object] | BaseException) -> tuple[Outcome, object]:
    """Say how a dispatch ended, and with which error, None for none.

    Args:
        answer: what it answered, or what ended it instead.
    """
    if isinstance(answer, BaseException):
        return "error" if isinstance(answer, Exception) else "cancelled", answer
    return outcome_of(answer), answer.failure() if isinstance(answer, Failure) else None


def cache_attributes(notes: Mapping[str, object]) -> dict[str, str | int | float | bool]:
    """Give what a cache plugin noted of a query, as attributes of a span event; nothing of another type.

    Args:
        notes: of the dispatch.
    """
    known: dict[str, str | int | float | bool] = {}
    status, age = notes.get("cache_status"), notes.get("cache_age_ms")
    if isinstance(status, str):
        known["cqrs.cache.status"] = status[:_LONGEST_STATUS]
    if type(age) is float or type(age) is int:
        known["cqrs.cache.age"] = age / 1000
    return known


def identify(error: object) -> tuple[str | None, str | None]:
    """Name an error without its text: its class, and its own code if that is a text.

    Args:
        error: what a ``Failure`` holds; nothing it does is let through.

    Returns:
        ``error_type`` and ``error_code``; a crash's code is the class of its exception.
    """
    if type(error) is HandlerCrashed:
        return "HandlerCrashed", error.exception_type
    try:
        code = getattr(error, "code", None)
    except Exception:  # noqa: BLE001  # a property of the user's that raises: the error has no code then
        code = None
    return as_text(type.__dict__["__name__"].__get__(type(error))), as_text(code)
