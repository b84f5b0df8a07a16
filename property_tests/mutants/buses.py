"""Wrong buses: the core made wrong where it stands, or an app that is not what it looks like."""

from collections.abc import Callable, Sequence
from typing import Any

import anyio
import attrs
from returns.result import Failure, Success

from cqrs import CqrsModule, Feature, Instrument, MessageContext, PublishReport
from cqrs.testing import BUS_LAWS, BusSubject
from cqrs.testing.bus_subject import plain
from cqrs.unit_of_work import Emissions
from property_tests.mutants.mutant import Mutant, Suite, replaced, together

Handle = Callable[[Any], Any]


def handled(wrap: Callable[[Handle], Handle]) -> BusSubject:
    """Every handler and subscriber is called by something wrong."""

    def compose(feature: Feature, instruments: Sequence[Instrument]) -> Any:
        feature.handlings[:] = [attrs.evolve(each, handler=wrap(each.handler)) for each in feature.handlings]
        feature.subscribings[:] = [attrs.evolve(s, handler=wrap(s.handler)) for s in feature.subscribings]
        return plain(feature, instruments)

    return BusSubject(compose)


def twice(handle: Handle) -> Handle:
    async def call(message: Any) -> Any:
        await handle(message)
        return await handle(message)

    return call


def flattening(handle: Handle) -> Handle:
    async def call(message: Any) -> Any:
        answer = await handle(message)
        inner = answer.unwrap() if isinstance(answer, Success) else None
        return inner if isinstance(inner, Success) else answer

    return call


def catching(handle: Handle) -> Handle:
    async def call(message: Any) -> Any:
        try:
            return await handle(message)
        except Exception as error:  # noqa: BLE001 - wrong on purpose
            return Failure(error)

    return call


def cancelling_siblings() -> BusSubject:
    failed: set[int] = set()

    def cancelling(handle: Handle) -> Handle:
        async def call(message: Any) -> Any:
            answer = await handle(message)
            if id(message) in failed:
                return Failure("cancelled with its sibling")
            if isinstance(answer, Failure):
                failed.add(id(message))
            return answer

        return call

    return handled(cancelling)


def one_subscriber(feature: Feature, instruments: Sequence[Instrument]) -> Any:
    del feature.subscribings[1:]
    return plain(feature, instruments)


def last_handler(feature: Feature, instruments: Sequence[Instrument]) -> Any:
    feature.handlings[:] = {each.message: each for each in feature.handlings}.values()
    return plain(feature, instruments)


def observed_twice(feature: Feature, instruments: Sequence[Instrument]) -> Any:
    return plain(feature, [*instruments, *instruments])


class Reporting:
    """An app that reports deliveries last first."""

    def __init__(self, feature: Feature, instruments: Sequence[Instrument]) -> None:
        self.app = plain(feature, instruments)
        self.events = self

    async def __aenter__(self) -> Any:
        """Start."""
        await self.app.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Stop."""
        await self.app.__aexit__(*error)

    async def publish(self, event: Any) -> Any:
        """Publish."""
        report = await self.app.events.publish(event)
        return PublishReport(report.deliveries[::-1], report.fault, report.skipped)


class Eager:
    """An app that answers before it runs."""

    def __init__(self, feature: Feature, instruments: Sequence[Instrument]) -> None:
        self.app = plain(feature, instruments)
        self.commands = self
        self.events = self.app.events

    async def execute(self, _command: Any) -> Any:
        """Answer."""
        return Success(None)


def uncancellable(guard: Any) -> Any:
    def wrong(*arguments: Any, **options: Any) -> Any:
        guarded = guard(*arguments, **options)

        async def call(message: Any, /) -> Any:
            try:
                return await guarded(message)
            except BaseException as error:  # noqa: BLE001 - wrong on purpose
                return Failure(error)

        return call

    return wrong


class Sticky:
    """A context variable that is never reset."""

    def __init__(self, variable: Any) -> None:
        self.get = variable.get
        self.set = variable.set

    def reset(self, token: Any) -> None:
        """Forget to."""


def same_identity(follow: Any) -> Any:
    def wrong(self: MessageContext, parent: MessageContext) -> Any:
        followed = follow(self, parent)
        followed.message_number = parent.message_number
        return followed

    return wrong


def new_correlation(follow: Any) -> Any:
    def wrong(self: MessageContext, parent: MessageContext) -> Any:
        followed = follow(self, parent)
        followed.correlation_number = followed.message_number
        return followed

    return wrong


def released_always(_releasing: Any) -> Any:
    def wrong(next: Any, _handler: Any, publisher: Any) -> Any:
        async def call(message: Any, /) -> Any:
            emissions = Emissions()
            answer = await next(message, emissions)
            for event in emissions.close():
                await publisher.publish(event.event)
            return answer

        return call

    return wrong


def released_in_any_end(_releasing: Any) -> Any:
    def wrong(next: Any, _handler: Any, publisher: Any) -> Any:
        async def call(message: Any, /) -> Any:
            emissions = Emissions()
            succeeded = True
            try:
                answer = await next(message, emissions)
                succeeded = isinstance(answer, Success)
            finally:
                with anyio.CancelScope(shield=True):
                    for event in emissions.close() if succeeded else ():
                        await publisher.publish(event.event)
            return answer

        return call

    return wrong


late: list[Any] = []


def committed_late(_commit: Any) -> Any:
    async def wrong(units: Any) -> None:
        late.extend(units)

    return wrong


def released_before_commit(releasing: Any) -> Any:
    def wrong(next: Any, handler: Any, publisher: Any) -> Any:
        release = releasing(next, handler, publisher)

        async def call(message: Any, /) -> Any:
            answer = await release(message)
            while late:
                await late.pop().commit()
            return answer

        return call

    return wrong


def retried_always(feature: Feature, instruments: Sequence[Instrument]) -> Any:
    feature.subscribings[:] = [
        attrs.evolve(each, retry=each.retry and attrs.evolve(each.retry, retry_on=lambda _error: True))
        for each in feature.subscribings
    ]
    return plain(feature, instruments)


def retried_never(feature: Feature, instruments: Sequence[Instrument]) -> Any:
    feature.subscribings[:] = [attrs.evolve(each, retry=None) for each in feature.subscribings]
    return plain(feature, instruments)


def concurrent(feature: Feature, instruments: Sequence[Instrument]) -> Any:
    feature.publishings.clear()
    return plain(feature, instruments)


def losing(_park: Any) -> Any:
    async def wrong(_self: Any, _letter: Any) -> Any:
        return Success(None)

    return wrong


def audited(feature: Feature, instruments: Sequence[Instrument]) -> Any:
    def passing(next: Any, _handler: Any, /) -> Any:
        async def call(message: Any, /) -> Any:
            return await next(message)

        return call

    return CqrsModule.for_root(feature, instruments=instruments, middleware=[passing] * 2, plugins=(), env={})


RIGHT = BusSubject()

BUSES = Suite(
    "bus",
    BUS_LAWS,
    (RIGHT, BusSubject(audited)),
    (
        Mutant("runs a handler twice", "gives_one_outcome", handled(twice)),
        Mutant("takes a Result in a Result", "gives_one_outcome", handled(flattening)),
        Mutant("answers a crash with the bare exception", "gives_one_outcome", handled(catching)),
        Mutant("observes a dispatch twice", "gives_one_outcome", BusSubject(observed_twice)),
        Mutant(
            "lets a second handler replace the first", "refuses_a_second_handler", BusSubject(last_handler)
        ),
        Mutant(
            "cancels the siblings of a subscriber that fails", "isolates_subscribers", cancelling_siblings()
        ),
        Mutant("delivers to the first subscriber only", "isolates_subscribers", BusSubject(one_subscriber)),
        Mutant("reports the last delivery first", "isolates_subscribers", BusSubject(Reporting)),  # type: ignore[arg-type]  # looks like an app
        Mutant(
            "stores a cancellation as a Failure",
            "keeps_cancellation",
            RIGHT,
            replaced("cqrs.pipeline.guard", uncancellable),
        ),
        Mutant(
            "leaves its context to whatever runs next",
            "keeps_contexts_apart",
            RIGHT,
            together(
                *(
                    replaced(f"cqrs.{name}.current", Sticky)
                    for name in ("observation", "observed_dispatch", "dispatch")
                )
            ),
        ),
        Mutant(
            "gives a message the identity of its sender",
            "keeps_contexts_apart",
            RIGHT,
            replaced("cqrs.context.MessageContext.follow", same_identity),
        ),
        Mutant(
            "begins a new correlation with each message",
            "keeps_contexts_apart",
            RIGHT,
            replaced("cqrs.context.MessageContext.follow", new_correlation),
        ),
        Mutant(
            "publishes what a handler emitted that failed",
            "emits_after_success",
            RIGHT,
            replaced("cqrs.pipeline.releasing", released_always),
        ),
        Mutant(
            "publishes before it commits",
            "emits_after_success",
            RIGHT,
            together(
                replaced("cqrs.attempt.commit", committed_late),
                replaced("cqrs.pipeline.releasing", released_before_commit),
            ),
        ),
        Mutant(
            "publishes what a cancelled handler emitted",
            "keeps_quiet_when_cancelled",
            RIGHT,
            replaced("cqrs.pipeline.releasing", released_in_any_end),
        ),
        Mutant("runs subscribers together that were to wait", "keeps_the_order", BusSubject(concurrent)),
        Mutant("retries a bug as if it were transient", "tries_again_and_parks", BusSubject(retried_always)),
        Mutant("tries nothing again", "tries_again_and_parks", BusSubject(retried_never)),
        Mutant(
            "drops an event that was given up",
            "tries_again_and_parks",
            RIGHT,
            replaced("cqrs.dead_letter.MemoryDeadLetterQueue.park", losing),
        ),
        Mutant("answers before it runs", "says_that_it_is_closed", BusSubject(Eager)),  # type: ignore[arg-type]  # looks like an app
    ),
)
