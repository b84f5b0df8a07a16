"""Exactly one observation per dispatch, however it ends."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.instrument import DispatchInstrument, Thresholds, identify
from cqrs_openobserve.observations import Observation, ObservationQueue
from returns.result import Failure, Result, Success

from cqrs import HandlerCrashed, MessageContext, Refused, Rejection, TimedOut
from cqrs.context import current
from cqrs.instrumentation import PublishDetails
from cqrs.middleware import HandlerInfo

SLOW = {"command": 500, "query": 300, "event": 1000}


class OutOfStock(Rejection):
    """A correct no."""

    code = "out-of-stock"


class Steps:
    """A clock that moves on by a given time at each reading."""

    def __init__(self, step_ns: int) -> None:
        self.now, self.step = 0, step_ns

    def time_ns(self) -> int:
        """Not asked."""
        raise AssertionError

    def monotonic_ns(self) -> int:
        """Move on."""
        self.now += self.step
        return self.now


async def dispatch(
    answer: Callable[[], Any], *, level: str = "INFO", kind: Any = "command", step_ns: int = 1_000
) -> tuple[list[Observation], MessageContext]:
    """Send one message through the instrument; gives what it left."""
    queue = ObservationQueue(lambda: None)
    queue.trigger = 1_000
    instrument = DispatchInstrument(queue, Thresholds(level, SLOW), Steps(step_ns))

    async def handler(_: Any) -> Any:
        return answer()

    call = instrument.around(handler, HandlerInfo(kind, object, "PlaceOrder", "shop.place", "f:1"))
    context = MessageContext().begin()
    token = current.set(context)
    try:
        await call(object())  # type: ignore[arg-type]  # any message will do
    finally:
        current.reset(token)
        taken.extend(queue.take(100))
    return taken, context


taken: list[Observation] = []


@pytest.fixture(autouse=True)
def _nothing_taken() -> None:
    taken.clear()


def raising(error: BaseException) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


@pytest.mark.parametrize(
    ("result", "outcome", "error_type", "error_code"),
    [
        (Success(1), "success", None, None),
        (Success(None), "success", None, None),
        (Failure(OutOfStock()), "rejected", "OutOfStock", "out-of-stock"),
        (Failure(Refused(OutOfStock())), "rejected", "Refused", None),
        (Failure("no"), "error", "str", None),
        (Failure(TimedOut("h", 1.0)), "error", "TimedOut", None),
        (
            Failure(HandlerCrashed("M", "h", "handler", "builtins.KeyError", "text", "tb", KeyError())),
            "error",
            "HandlerCrashed",
            "builtins.KeyError",
        ),
    ],
)
async def test_a_result_leaves_one_observation(
    result: Result[Any, Any], outcome: str, error_type: str | None, error_code: str | None
) -> None:
    """With how it ended, how long it took, who it was and what the error is called."""
    observations, context = await dispatch(lambda: result)

    (observation,) = observations
    subject, *rest = observation
    assert (subject.kind, subject.record, subject.message_type, subject.handler) == (
        "command",
        "handled",
        "PlaceOrder",
        "shop.place",
    )
    number = context.message_number
    assert rest == [
        outcome,
        2_000,
        1_000,
        number,
        context.correlation_number,
        None,
        context.trace_number,
        context.span_number,
        0,
        error_type,
        error_code,
        None,
    ]
    assert 0 < context.span_number < 2**64


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(2)], ids=repr)
async def test_a_cancelled_dispatch_leaves_one_and_passes(error: BaseException) -> None:
    """Cancellation and interrupts go through untouched."""
    with pytest.raises(type(error)):
        await dispatch(raising(error))
    assert [(observation[1], observation[10]) for observation in taken] == [
        ("cancelled", type(error).__name__)
    ]


async def test_an_exception_leaves_an_error() -> None:
    """A pipeline never raises one; if it did it would not go unseen."""
    with pytest.raises(ValueError, match="x"):
        await dispatch(raising(ValueError("x")))
    assert [(observation[1], observation[10]) for observation in taken] == [("error", "ValueError")]


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        ("DEBUG", ["start", "success", "start", "rejected", "start", "error", "start", "success"]),
        ("INFO", ["success", "rejected", "error", "success"]),
        ("WARN", ["error", "success"]),
        ("ERROR", ["error"]),
    ],
)
async def test_the_level_filters(level: str, kept: list[str]) -> None:
    """DEBUG adds starts, WARN keeps what is slow, ERROR errors only."""
    quick: list[Result[Any, Any]] = [Success(1), Failure(OutOfStock()), Failure("no")]
    for result in quick:
        await dispatch(lambda result=result: result, level=level)
    await dispatch(lambda: Success(1), level=level, step_ns=500_000_000)

    assert sorted(observation[1] for observation in taken) == sorted(kept)


async def test_a_publish_leaves_one_with_its_subscribers() -> None:
    """Whether any of its deliveries failed decides the outcome."""
    queue = ObservationQueue(lambda: None)
    instrument = DispatchInstrument(queue, Thresholds("INFO", SLOW), Steps(1_000))
    context = MessageContext().begin()
    for failures in (0, 1):
        instrument.published(PublishDetails(int, "OrderPlaced", 2, failures, 700, context))

    error, success = queue.take(10)
    assert (success[0].record, success[0].message_type, success[1:4]) == (
        "published",
        "OrderPlaced",
        ("success", 1_000, 700),
    )
    assert (error[1], error[12]) == ("error", 2)


async def test_a_publish_that_was_cancelled_is_recorded_as_cancelled() -> None:
    """What its deliveries came to until then does not make it a success, nor an error."""
    queue = ObservationQueue(lambda: None)
    instrument = DispatchInstrument(queue, Thresholds("INFO", SLOW), Steps(1_000))
    context = MessageContext().begin()
    for failures in (0, 1):
        instrument.published(PublishDetails(int, "OrderPlaced", 2, failures, 700, context, cancelled=True))

    assert [observation[1] for observation in queue.take(10)] == ["cancelled", "cancelled"]


async def test_every_dispatch_has_a_span_of_its_own() -> None:
    """Also in threads at once."""
    spans: list[int] = []

    def many() -> None:
        async def run() -> None:
            for _ in range(200):
                _, context = await dispatch(lambda: Success(1))
                spans.append(context.span_number)

        asyncio.run(run())

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(spans)) == 800


async def test_outside_of_an_app_nothing_is_observed() -> None:
    """Without a context there is nobody to tell of."""
    queue = ObservationQueue(lambda: None)
    instrument = DispatchInstrument(queue, Thresholds("INFO", SLOW))

    async def handler(_: Any) -> Any:
        return Success(1)

    call = instrument.around(handler, HandlerInfo("command", object, "M", "h", "f:1"))
    assert await call(object()) == Success(1)  # type: ignore[arg-type]  # any message will do
    assert len(queue) == 0


def test_an_error_is_named_without_its_text() -> None:
    """And a code is taken only if it is a text."""
    told = type("Told", (Exception,), {"code": 5})("secret text")
    assert identify(told) == ("Told", None)
    assert identify(None) == ("NoneType", None)
