"""The laws of events: who hears them, when, and whatever becomes of the others."""

from typing import Final, cast, final

import anyio.lowlevel
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from returns.result import Failure, Result, Success

from cqrs.context import Emit
from cqrs.declarations import Lifetime
from cqrs.deliveries import PublishStrategy
from cqrs.features import Feature
from cqrs.messages import Event
from cqrs.retry import RetryPolicy
from cqrs.testing.bus_subject import BusSubject
from cqrs.testing.doubles import RecordingInstrument
from cqrs.testing.handler_laws import dispatch
from cqrs.testing.interruption import MOST_SUSPENSIONS, interrupt
from cqrs.testing.laws import Law, hold, law
from cqrs.testing.scripted import (
    EVENTS,
    Answer,
    Behaviour,
    First,
    Handle,
    Happened,
    No,
    Passing,
    answer_of,
    behaviours,
    done,
    numbered,
    scripted,
    shape,
)


def _subscribers(_subject: BusSubject) -> SearchStrategy[object]:
    heard = st.sets(st.sampled_from(range(len(EVENTS))), min_size=1)
    return st.lists(st.tuples(heard, behaviours(giving_up=True)), max_size=5)


def _published(_subject: BusSubject) -> SearchStrategy[object]:
    return st.lists(st.sampled_from(range(len(EVENTS))), max_size=5)


def _switch(_subject: BusSubject) -> SearchStrategy[object]:
    return st.booleans()


def _few(_subject: BusSubject) -> SearchStrategy[object]:
    return st.integers(1, 4)


def _behaviour(_subject: BusSubject) -> SearchStrategy[object]:
    return behaviours()


def _event(which: int, number: int) -> Event:
    return cast("Event", numbered(EVENTS[which], number))


@law(
    "Every subscriber of an event gets it once, and its outcome is its own whatever becomes of the others.",
    subscribers=_subscribers,
    published=_published,
    observed=_switch,
)
async def isolates_subscribers(
    subject: BusSubject,
    subscribers: list[tuple[set[int], Behaviour]],
    published: list[int],
    *,
    observed: bool,
) -> None:
    """Publish events to subscribers that succeed, fail, crash and give up, and compare with a model."""
    heard: list[list[object]] = [[] for _ in subscribers]
    feature = Feature("laws")
    for number, (events, behaviour) in enumerate(subscribers):
        listening = [EVENTS[event] for event in sorted(events)]
        feature.subscribes(*listening, name=f"s{number}")(scripted(behaviour, heard[number]))
    async with subject.compose(feature, [RecordingInstrument()] * observed) as app:
        for place, which in enumerate(published):
            report = await app.events.publish(_event(which, place))
            got = {delivery.subscriber: shape(delivery.result) for delivery in report.deliveries}
            expected = {
                f"s{number}": answer_of(behaviour, place)
                for number, (events, behaviour) in enumerate(subscribers)
                if which in events
            }
            hold(
                list(got.items()) == list(expected.items()), f"expected {expected}, in this order; got {got}."
            )
            good = all(isinstance(answer, Success) for answer in expected.values())
            hold(report.ok is good, f"report.ok is {report.ok} of {got}.")
    for number, (events, _) in enumerate(subscribers):
        sent = [_event(which, place) for place, which in enumerate(published) if which in events]
        hold(heard[number] == sent, f"s{number} heard {heard[number]}, published was {sent}.")


@final
class _Work:
    """A unit of work that writes down what becomes of it."""

    def __init__(self, log: list[str], *, breaks: bool) -> None:
        self._log = log
        self._breaks = breaks

    async def commit(self) -> None:
        """Write it down; fail if it is to."""
        await anyio.lowlevel.checkpoint()
        if self._breaks:
            raise OSError("the disk is full")
        self._log.append("commit")

    async def rollback(self) -> None:
        """Write it down."""
        self._log.append("rollback")


def _emitting(behaviour: Behaviour, log: list[str], *, breaks: bool) -> Feature:
    feature = Feature("laws")
    feature.provides(_Work, lambda: _Work(log, breaks=breaks), lifetime=Lifetime.MESSAGE)

    async def handle(message: First, *, emit: Emit, work: _Work) -> Answer:
        del work
        emit(Happened(message.number))
        await anyio.lowlevel.checkpoint()
        log.append("handled")
        return done(behaviour, message.number)

    async def hear(event: Happened) -> Result[object, object]:
        log.append("heard")
        return Success(event.number)

    feature.handles(First)(handle)
    feature.subscribes(Happened, name="s")(hear)
    return feature


@law(
    "What a handler emits is heard after it succeeded and its work was committed, before its answer is there; "
    "otherwise its work is rolled back and nobody hears of it.",
    behaviour=_behaviour,
    breaks=_switch,
)
async def emits_after_success(subject: BusSubject, behaviour: Behaviour, *, breaks: bool) -> None:
    """Write down in which order everything happens."""
    log: list[str] = []
    async with subject.compose(_emitting(behaviour, log, breaks=breaks), ()) as app:
        await dispatch(app, First(1))
    good = behaviour == "success" and not breaks
    hold(log == (["handled", "commit", "heard"] if good else ["handled", "rollback"]), f"there was {log}.")


@law(
    "A handler that is cancelled, wherever it waits, is heard of only if its work was committed.",
    behaviour=_behaviour,
)
async def keeps_quiet_when_cancelled(subject: BusSubject, behaviour: Behaviour) -> None:
    """Cancel at the first suspension, then at the second, until one run gets through."""
    for at in range(1, MOST_SUSPENSIONS + 1):
        log: list[str] = []
        async with subject.compose(_emitting(behaviour, log, breaks=False), ()) as app:
            run = await interrupt(lambda app=app: dispatch(app, First(1)), at)  # type: ignore[misc]  # mypy infers no default
        if not run.reached:
            return
        hold(
            "heard" not in log or "commit" in log, f"cancelled where it waits for time {at}: there was {log}."
        )
        hold("commit" not in log or "rollback" not in log, f"cancelled where it waits for time {at}: {log}.")


@law(
    "Declared SEQUENTIAL, subscribers hear an event one after the other, in the order of their registration.",
    subscribers=_subscribers,
)
async def keeps_the_order(subject: BusSubject, subscribers: list[tuple[set[int], Behaviour]]) -> None:
    """Let each write down when it begins and when it ends."""
    log: list[tuple[int, str]] = []
    feature = Feature("laws")
    feature.publishes(Happened, strategy=PublishStrategy.SEQUENTIAL)
    for number, (_, behaviour) in enumerate(subscribers):
        feature.subscribes(Happened, name=f"s{number}")(_noting(number, behaviour, log))
    async with subject.compose(feature, ()) as app:
        await app.events.publish(Happened(1))
    expected = [(number, when) for number, _ in enumerate(subscribers) for when in ("begins", "ends")]
    hold(log == expected, f"expected {expected}, there was {log}.")


def _noting(number: int, behaviour: Behaviour, log: list[tuple[int, str]]) -> Handle:
    async def hear(message: object) -> Answer:
        log.append((number, "begins"))
        await anyio.lowlevel.checkpoint()
        log.append((number, "ends"))
        return done(behaviour, getattr(message, "number", 0))

    return hear


@law(
    "A delivery that fails is tried again as its policy says and only if it may help; given up, it is a dead letter.",
    attempts=_few,
    transient=_switch,
    mended_at=_few,
)
async def tries_again_and_parks(
    subject: BusSubject, attempts: int, mended_at: int, *, transient: bool
) -> None:
    """Fail a few times, transiently or not, and compare with what the policy allows."""
    tries: list[object] = []

    async def hear(event: Happened) -> Result[object, object]:
        tries.append(event)
        if len(tries) >= mended_at:
            return Success(None)
        return Failure(Passing() if transient else No(event.number))

    feature = Feature("laws")
    policy = RetryPolicy(attempts, base=0.0)
    feature.subscribes(Happened, name="s", retry=policy)(hear)
    async with subject.compose(feature, ()) as app:
        (delivery,) = (await app.events.publish(Happened(1))).deliveries
        parked = await app.dead_letters.queue.count()
        await app.dead_letters.queue.discard()
    allowed = attempts if transient else 1
    expected = min(allowed, mended_at)
    hold(
        len(tries) == expected, f"{len(tries)} attempts of {allowed} that are allowed, mended at {mended_at}."
    )
    good = mended_at <= allowed
    hold(delivery.ok is good, f"after {len(tries)} attempts, mended at {mended_at}: {delivery}.")
    hold(parked == Success(0 if good else 1), f"after {delivery}, {parked} letters are parked.")


EVENT_LAWS: Final[tuple[Law[BusSubject], ...]] = (
    isolates_subscribers,
    emits_after_success,
    keeps_quiet_when_cancelled,
    keeps_the_order,
    tries_again_and_parks,
)
