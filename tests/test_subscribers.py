"""One delivery: attempts, dead letters, sequences."""

import asyncio
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event, Feature, Instrument, MessageContext
from cqrs.clock import SystemClock
from cqrs.dead_letter import DeadLetter, MemoryDeadLetterQueue, QueueFault, StoreFailed
from cqrs.faults import HandlerCrashed, ParkedBehind, QueueFull
from cqrs.hook_details import DeadLetteredDetails, DeliveredDetails, RetriedDetails
from cqrs.retry import RetryPolicy


@attrs.frozen
class Placed(Event):
    """An event."""

    order: int = 0


class Skipping:
    """A clock whose sleep takes no time, and tells how long it was asked for."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.now = 0

    def monotonic_ns(self) -> int:
        """Look."""
        return self.now

    time_ns = monotonic_ns

    async def sleep(self, seconds: float, /) -> None:
        """Let the time be over."""
        self.slept.append(seconds)
        self.now += int(seconds * 1e9)


class Keeping(Instrument):
    """Keeps what it hears of retries, deliveries and dead letters."""

    def __init__(self) -> None:
        self.retries: list[RetriedDetails] = []
        self.deliveries: list[DeliveredDetails] = []
        self.letters: list[DeadLetteredDetails] = []

    def retried(self, details: RetriedDetails, /) -> None:
        """Keep it."""
        self.retries.append(details)

    def delivered(self, details: DeliveredDetails, /) -> None:
        """Keep it."""
        self.deliveries.append(details)

    def dead_lettered(self, details: DeadLetteredDetails, /) -> None:
        """Keep it."""
        self.letters.append(details)


class Broken(MemoryDeadLetterQueue):  # type: ignore[misc]  # final for users; a queue whose disk is gone
    """A queue that can neither park nor say what is parked."""

    async def park(self, _letter: DeadLetter, /) -> Result[None, QueueFault]:
        """Do nothing."""
        return Failure(StoreFailed("disk", "park", "no space left"))

    async def park_behind(self, _letter: DeadLetter, /) -> Result[bool, QueueFault]:
        """Do nothing."""
        return Failure(StoreFailed("disk", "park behind", "no space left"))


def failing(*answers: Any) -> Callable[[Any], Any]:
    """A subscriber that answers or raises one after the other; the last again and again."""
    left = list(answers)

    async def subscriber(_event: Placed) -> Result[Any, Any]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, Failure | Success) else Success(answer)

    return subscriber


def hearing(subscriber: Callable[[Any], Any], **options: Any) -> Feature:
    feature = Feature("orders")
    feature.subscribes(Placed, name="send", **options)(subscriber)
    return feature


def around(next: Any, _handler: Any) -> Any:
    async def call(message: Any) -> Any:
        return await next(message)

    return call


EVERY_WAY = pytest.mark.parametrize(
    "surrounded",
    [
        {},
        {"middleware": [around]},
        {"instruments": [Keeping()]},
        {"middleware": [around], "instruments": [Keeping()]},
    ],
    ids=["bare", "middleware", "observed", "both"],
)


@EVERY_WAY
async def test_what_is_transient_is_tried_again(compose_app: Any, surrounded: Any) -> None:
    """The third attempt succeeds: the delivery does, and says how many it took."""
    clock = Skipping()
    subscriber = failing(TimeoutError(), Failure(ConnectionError()), "sent")
    async with compose_app(hearing(subscriber), clock=clock, **surrounded) as bus:
        report = await bus.events.publish(Placed())

    (delivery,) = report.deliveries
    assert (delivery.result, delivery.attempts, delivery.dead_lettered) == (Success("sent"), 3, False)
    assert len(clock.slept) == 2
    assert delivery.duration == pytest.approx(sum(clock.slept), abs=1e-6)


@EVERY_WAY
@pytest.mark.parametrize(
    "bug", [ValueError("bug"), Failure("refused by the mail server")], ids=["raised", "answered"]
)
async def test_a_bug_is_not_tried_again(compose_app: Any, surrounded: Any, bug: Any) -> None:
    """One attempt, one dead letter: an e-mail is not sent three times."""
    clock = Skipping()
    app = compose_app(hearing(failing(bug)), clock=clock, **surrounded)
    async with app as bus:
        report = await bus.events.publish(Placed(7))
        (letter,) = (await app.dead_letters.queue.page()).unwrap().letters

    (delivery,) = report.failures
    assert (delivery.attempts, delivery.dead_lettered, clock.slept) == (1, True, [])
    assert (letter.event, letter.subscriber, letter.attempts) == (Placed(7), "send", 1)


@EVERY_WAY
async def test_attempts_end_with_the_policy(compose_app: Any, surrounded: Any) -> None:
    """What stays transient is parked after the last attempt; another delivery begins to count anew."""
    app = compose_app(hearing(failing(TimeoutError()), retry=RetryPolicy(5)), clock=Skipping(), **surrounded)
    async with app as bus:
        reports = [await bus.events.publish(Placed()) for _ in range(2)]
        letters = (await app.dead_letters.queue.page()).unwrap().letters

    assert [report.deliveries[0].attempts for report in reports] == [5, 5]
    assert [letter.attempts for letter in letters] == [5, 5]


@EVERY_WAY
async def test_without_a_policy_there_is_one_attempt(compose_app: Any, surrounded: Any) -> None:
    """`retry=None` tries nothing again."""
    async with compose_app(
        hearing(failing(TimeoutError()), retry=None), clock=Skipping(), **surrounded
    ) as bus:
        report = await bus.events.publish(Placed())

    assert report.deliveries[0].attempts == 1


async def test_a_nested_delivery_counts_for_itself(compose_app: Any) -> None:
    """Attempts of an event that a subscriber publishes are not counted as its own."""
    feature = hearing(failing(TimeoutError(), "sent"))

    @attrs.frozen
    class Outer(Event):
        """An event whose subscriber publishes another."""

    app = compose_app(feature, clock=Skipping(), middleware=[around])

    @feature.subscribes(Outer, name="outer")
    async def outer(_event: Outer) -> Result[Any, str]:
        return Success((await app.events.publish(Placed())).deliveries[0].attempts)

    async with app as bus:
        report = await bus.events.publish(Outer())

    assert (report.deliveries[0].result, report.deliveries[0].attempts) == (Success(2), 1)


async def test_a_policy_that_raises_tries_nothing_again(
    compose_app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The user's own `retry_on` is no way to break a publish; what it raised is logged."""

    def judge(_error: object) -> bool:
        raise KeyError("no rule")

    async with compose_app(
        hearing(failing("x", TimeoutError()), retry=RetryPolicy(3, retry_on=judge))
    ) as bus:
        await bus.events.publish(Placed())
        report = await bus.events.publish(Placed())

    assert report.deliveries[0].attempts == 1
    assert "no rule" in caplog.text


async def test_each_retry_delivery_and_letter_is_told(compose_app: Any) -> None:
    """Hooks hear of every attempt that is followed by another, of the delivery, and of the letter, under one identity."""
    keeping = Keeping()
    policy = RetryPolicy(3, base=1.0, jitter="none")
    async with compose_app(
        hearing(failing(TimeoutError()), retry=policy), clock=Skipping(), instruments=[keeping]
    ) as bus:
        report = await bus.events.publish(Placed())

    assert [(r.attempt, r.delay, r.handler.subscriber) for r in keeping.retries] == [
        (1, 1.0, "send"),
        (2, 2.0, "send"),
    ]
    (delivered,), (letter,) = keeping.deliveries, keeping.letters
    assert delivered.delivery == report.deliveries[0]
    assert (letter.parked, letter.attempts, letter.sequence) == (True, 3, None)
    assert isinstance(letter.error, HandlerCrashed)
    identities = {each.context.message_id for each in (*keeping.retries, delivered, letter)}
    assert len(identities) == 1


async def test_the_attempt_stands_in_the_context(compose_app: Any) -> None:
    """A subscriber that asks for its context knows which attempt it is."""
    attempts: list[int] = []
    feature = Feature("orders")

    @feature.subscribes(Placed)
    async def send(_event: Placed, *, context: MessageContext) -> Result[None, Exception]:
        attempts.append(context.attempt)
        return Failure(TimeoutError()) if context.attempt < 3 else Success(None)

    async with compose_app(feature, clock=Skipping()) as bus:
        assert (await bus.events.publish(Placed())).ok

    assert attempts == [1, 2, 3]


@pytest.mark.parametrize("queue", [MemoryDeadLetterQueue(sequences=0), Broken()], ids=["full", "broken"])
async def test_what_cannot_be_parked_is_counted_and_said(
    compose_app: Any, queue: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The publisher sees the failure and that it is not parked; an ERROR line has event, subscriber and both reasons."""
    keeping = Keeping()
    async with compose_app(
        hearing(failing(Failure("no route"))), dead_letters=queue, instruments=[keeping]
    ) as bus:
        report = await bus.events.publish(Placed())
        (subscriber,) = bus._listeners.audience(Placed).subscribers

    (delivery,) = report.deliveries
    assert (delivery.result, delivery.dead_lettered) == (Failure("no route"), False)
    assert [details.parked for details in keeping.letters] == [False]
    assert subscriber.delivering.parking.overflows == 1
    (record,) = (r for r in caplog.records if r.getMessage().startswith("dead_letter_overflow"))
    assert record.levelname == "ERROR"
    assert all(part in record.getMessage() for part in ("send", "Placed", "no route"))


async def test_an_event_waits_behind_an_earlier_one_of_its_sequence(compose_app: Any) -> None:
    """Until the first is gone, later ones of the same key are not tried; other keys are."""
    tried: list[int] = []

    async def send(event: Placed) -> Result[None, str]:
        tried.append(event.order)
        return Failure("no") if event.order == 1 else Success(None)

    feature = Feature("orders")
    feature.subscribes(Placed, name="send", sequence=lambda event: event.order % 10)(send)
    app = compose_app(feature)
    async with app as bus:
        reports = [await bus.events.publish(Placed(order)) for order in (1, 11, 2, 21)]
        letters = (await app.dead_letters.queue.page()).unwrap().letters

    assert tried == [1, 2]
    behind = reports[1].deliveries[0]
    assert behind.result == Failure(ParkedBehind("send", "1"))
    assert (behind.attempts, behind.dead_lettered) == (0, True)
    assert [(letter.event.order, letter.sequence, letter.attempts) for letter in letters] == [
        (1, "1", 1), (11, "1", 0), (21, "1", 0),
    ]  # fmt: skip
    assert letters[1].error is None


async def test_a_place_that_is_not_known_is_not_overtaken(
    compose_app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """If the queue cannot say whether an earlier event waits, this one is not delivered, and that is said."""
    app = compose_app(hearing(failing("sent"), sequence=lambda event: event.order), dead_letters=Broken())
    async with app as bus:
        report = await bus.events.publish(Placed(1))

    (delivery,) = report.deliveries
    assert isinstance(delivery.result.failure(), StoreFailed)
    assert (delivery.attempts, delivery.dead_lettered) == (0, False)
    assert "dead_letter_overflow" in caplog.text


async def test_a_full_sequence_is_not_overtaken(compose_app: Any) -> None:
    """Where there is no place behind the others, the event is refused, not delivered before them."""
    app = compose_app(
        hearing(failing(Failure("no"), "sent"), sequence=lambda _event: "one"),
        dead_letters=MemoryDeadLetterQueue(letters=1),
    )
    async with app as bus:
        await bus.events.publish(Placed(1))
        report = await bus.events.publish(Placed(2))

    assert isinstance(report.deliveries[0].result.failure(), QueueFull)


async def test_an_event_without_a_key_stands_alone(compose_app: Any) -> None:
    """None is no key: such events never wait for one another."""
    app = compose_app(hearing(failing(Failure("no")), sequence=lambda _event: None))
    async with app as bus:
        reports = [await bus.events.publish(Placed()) for _ in range(2)]

    assert [report.deliveries[0].attempts for report in reports] == [1, 1]


async def test_a_key_that_cannot_be_made_fails_the_delivery(compose_app: Any) -> None:
    """What the user's function raises is a failed delivery, parked without a place."""
    app = compose_app(hearing(failing("sent"), sequence=lambda event: event.customer))
    async with app as bus:
        report = await bus.events.publish(Placed())
        (letter,) = (await app.dead_letters.queue.page()).unwrap().letters

    fault = report.deliveries[0].result.failure()
    assert isinstance(fault, HandlerCrashed)
    assert fault.exception_type == "builtins.AttributeError"
    assert letter.sequence is None


async def test_a_letter_keeps_nothing_alive(compose_app: Any) -> None:
    """The error stands in it as text, a crash with its traceback; no exception, no frame."""
    app = compose_app(hearing(failing(ValueError("broken"))))
    async with app as bus:
        await bus.events.publish(Placed())
        (letter,) = (await app.dead_letters.queue.page()).unwrap().letters

    assert (letter.error.kind, letter.error.text) == ("builtins.ValueError", "broken")
    assert "Traceback" in letter.error.traceback
    assert letter.first_failed_ns == letter.last_failed_ns
    assert abs(letter.first_failed_ns - SystemClock().time_ns()) < 60e9


async def test_a_publisher_that_is_cancelled_while_parking_has_parked(compose_app: Any) -> None:
    """The letter is on its way before the cancellation goes on to the publisher."""
    entered = asyncio.Event()

    class Slow(MemoryDeadLetterQueue):  # type: ignore[misc]  # final for users; a queue that takes its time
        async def park(self, letter: DeadLetter, /) -> Result[None, QueueFault]:
            entered.set()
            parked = await super().park(letter)
            await asyncio.sleep(0)
            return parked

    queue = Slow()
    async with compose_app(hearing(failing(Failure("no"))), dead_letters=queue) as bus:
        task = asyncio.ensure_future(bus.events.publish(Placed()))
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert (await queue.count()).unwrap() == 1
