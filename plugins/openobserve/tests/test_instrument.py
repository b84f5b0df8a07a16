"""Exactly one observation per dispatch, however it ends."""

import asyncio
import threading
from typing import Any

import attrs
import pytest
from cqrs_openobserve.dispatch_facts import Thresholds
from cqrs_openobserve.instrument import DispatchInstrument
from cqrs_openobserve.observations import Observation, ObservationQueue
from returns.result import Failure, Result, Success

from cqrs import HandlerCrashed, MessageContext, Refused, Rejection, TimedOut
from cqrs.caching import CachePolicy
from cqrs.context import cqrs_context, current
from cqrs.instrumentation import DeadLetteredDetails, PublishDetails, RetriedDetails
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


def dispatch(
    answer: Any,
    *,
    level: str = "INFO",
    kind: Any = "command",
    duration_ns: int = 1_000,
    context: MessageContext | None = None,
    message: object = None,
    **given: Any,
) -> tuple[list[Observation], MessageContext]:
    """Let the instrument see one dispatch as the core shows it; gives what it left."""
    queue = ObservationQueue(lambda: None)
    queue.trigger = 1_000
    thresholds = Thresholds(level, SLOW, given.pop("measured", False), given.pop("error_texts", False))
    instrument = DispatchInstrument(queue, thresholds, clock=Steps(1_000))
    handler = HandlerInfo(kind, type(message), "PlaceOrder", "shop.place", "f:1", **given)
    carried, finished = instrument.carried(handler), instrument.finished(handler)
    context = context or MessageContext().begin()
    (subject,) = instrument.subjects.values()
    if carried is None:
        context.span_number = 7
    else:
        token = carried.variable.set(carried.value(context, message))
        assert subject.running == [1]
        carried.variable.reset(token)
    finished(context, 1_000, 1_000 + duration_ns, answer)
    assert subject.running == [0]
    return queue.take(100), context


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
def test_a_result_leaves_one_observation(
    result: Result[Any, Any], outcome: str, error_type: str | None, error_code: str | None
) -> None:
    """With how it ended, how long it took, who it was and what the error is called."""
    observations, context = dispatch(result)

    (observation,) = observations
    subject, *rest, more = observation
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
        False,
    ]
    assert (more is None) is (outcome == "success")
    if more is not None:
        assert (more.error_type, more.error_code, more.error) == (error_type, error_code, None)
    assert 0 < context.span_number < 2**64


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(2)], ids=repr)
def test_a_cancelled_dispatch_leaves_one(error: BaseException) -> None:
    """What ended it is named."""
    (observation,), _ = dispatch(error)
    assert (observation[1], observation[11] and observation[11].error_type) == (
        "cancelled",
        type(error).__name__,
    )


def test_an_exception_leaves_an_error() -> None:
    """A pipeline never raises one; if it did it would not go unseen."""
    (observation,), _ = dispatch(ValueError("x"))
    assert (observation[1], observation[11] and observation[11].error_type) == ("error", "ValueError")


QUICK: list[Result[Any, Any]] = [Success(1), Failure(OutOfStock()), Failure("no")]


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        ("DEBUG", ["start", "success", "start", "rejected", "start", "error", "start", "success"]),
        ("INFO", ["success", "rejected", "error", "success"]),
        ("WARN", ["error", "success"]),
        ("ERROR", ["error"]),
    ],
)
def test_the_level_filters(level: str, kept: list[str]) -> None:
    """DEBUG adds starts, WARN keeps what is slow, ERROR errors only."""
    seen = [dispatch(result, level=level)[0] for result in QUICK]
    seen.append(dispatch(Success(1), level=level, duration_ns=500_000_000)[0])

    assert sorted(observation[1] for each in seen for observation in each) == sorted(kept)


def test_what_is_measured_is_observed_whatever_the_level() -> None:
    """Metrics and late spans know every dispatch."""
    seen = [dispatch(result, level="ERROR", measured=True)[0] for result in QUICK]

    assert [observation[1] for each in seen for observation in each] == ["success", "rejected", "error"]


def test_further_attempts_are_told() -> None:
    """A success at the third attempt is no plain success, also where plain ones are not recorded."""
    context = MessageContext().begin()
    context.attempt = 3
    (observation,), _ = dispatch(Success(1), context=context, level="WARN")

    assert observation[11] is not None
    assert observation[11].retries == 2


async def test_what_the_edge_said_is_told() -> None:
    """Tenant, principal and the correlation id as it was given."""
    with cqrs_context(tenant="acme", principal="bob", correlation_id="req-1"):
        context = MessageContext().follow(current.get() or MessageContext().begin())
    (observation,), _ = dispatch(Success(1), context=context)

    more = observation[11]
    assert more is not None
    assert (more.tenant, more.principal, more.correlation) == ("acme", "bob", "req-1")


@attrs.frozen
class Place:
    """A message with fields."""

    sku: str
    quantity: int


def test_the_message_is_kept_only_if_fields_of_it_are_recorded() -> None:
    """A handler asks for the fields; without that no message stays alive in the queue."""
    message = Place("apple", 2)
    (plain,), _ = dispatch(Success(1), message=message)
    (told,), _ = dispatch(Failure("no"), message=message, log_fields=("sku", "quantity"))

    assert plain[11] is None
    assert told[11] is not None
    assert told[11].message is message
    assert [column.name for column in told[0].fields] == ["field_sku", "field_quantity"]


def test_an_error_is_kept_only_if_texts_of_errors_are_recorded() -> None:
    """Nothing of it is looked into here."""
    error = OutOfStock()
    kept = [dispatch(Failure(error), error_texts=texts)[0][0][11] for texts in (True, False)]

    assert [more and more.error for more in kept] == [error, None]


def test_notes_of_a_cache_are_told_of_queries_that_have_one() -> None:
    """A query that succeeded from a cache is told with what the cache noted."""
    context = MessageContext().begin()
    context.note("cache_status", "hit")
    (observation,), _ = dispatch(Success(1), kind="query", context=context, cache=CachePolicy(ttl=1))

    assert observation[11] is not None
    assert dict(observation[11].notes) == {"cache_status": "hit"}


def test_a_publish_leaves_one_with_its_subscribers() -> None:
    """Whether any of its deliveries failed decides the outcome."""
    queue = ObservationQueue(lambda: None)
    instrument = DispatchInstrument(queue, Thresholds("INFO", SLOW), clock=Steps(1_000))
    context = MessageContext().begin()
    for failures in (0, 1):
        instrument.published(PublishDetails(int, "OrderPlaced", 2, failures, 700, context))

    error, success = queue.take(10)
    assert (success[0].record, success[0].message_type, success[1:4]) == (
        "published",
        "OrderPlaced",
        ("success", 1_000, 700),
    )
    assert (error[1], error[11] and error[11].subscribers) == ("error", 2)


def test_a_publish_that_was_cancelled_is_recorded_as_cancelled() -> None:
    """What its deliveries came to until then does not make it a success, nor an error."""
    queue = ObservationQueue(lambda: None)
    instrument = DispatchInstrument(queue, Thresholds("INFO", SLOW), clock=Steps(1_000))
    context = MessageContext().begin()
    for failures in (0, 1):
        instrument.published(PublishDetails(int, "OrderPlaced", 2, failures, 700, context, cancelled=True))

    assert [observation[1] for observation in queue.take(10)] == ["cancelled", "cancelled"]


def test_a_parked_letter_leaves_one() -> None:
    """With its id, its attempts and the error, on a level that nothing filters."""
    queue = ObservationQueue(lambda: None)
    instrument = DispatchInstrument(queue, Thresholds("ERROR", SLOW), clock=Steps(1_000))
    handler = HandlerInfo("event", object, "Placed", "shop.mail", "f:1", "mail")
    context = MessageContext().begin()
    instrument.dead_lettered(DeadLetteredDetails(handler, "L1", None, 3, ValueError("x"), True, context))  # noqa: FBT003 - its field

    (observation,) = queue.take(10)
    more = observation[11]
    assert more is not None
    assert (observation[0].record, observation[1], observation[0].subscriber) == (
        "dead_letter",
        "error",
        "mail",
    )
    assert (more.letter, more.retries, more.error_type) == ("L1", 2, "ValueError")


def test_retries_of_deliveries_are_counted_by_event() -> None:
    """Those of commands and queries stand in the observation of the last attempt."""
    instrument = DispatchInstrument(ObservationQueue(lambda: None), Thresholds("INFO", SLOW))
    context = MessageContext().begin()
    for kind in ("event", "event", "command"):
        handler = HandlerInfo(kind, object, "Placed", "h", "f:1")  # type: ignore[arg-type]  # one of the kinds
        instrument.retried(RetriedDetails(handler, 1, 0.5, ValueError(), context))

    assert instrument.retries == {"Placed": 2}


def test_every_dispatch_has_a_span_of_its_own() -> None:
    """Also in threads at once."""
    spans: list[int] = []

    def many() -> None:
        spans.extend(dispatch(Success(1), measured=True)[1].span_number for _ in range(200))

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(spans)) == 800
