"""Sealing an app: every pipeline composed, and one decision for all of them whether dispatches have a context."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar, cast, final

import attrs
from returns.result import Failure, Result, Success

from cqrs.container import Bound
from cqrs.dispatch import crashed, guard
from cqrs.event_bus import Audience, Settle, watches
from cqrs.event_declarations import strategy_of
from cqrs.faults import Fault
from cqrs.messages import AnyResult, Event, Message
from cqrs.middleware import HandlerInfo, Kind, Next
from cqrs.observation import Observed
from cqrs.pipeline import Surroundings, bare, prepare
from cqrs.problems import Code, CompositionError, Problem
from cqrs.registry import Entry, Registry
from cqrs.subscribers import Delivering, Subscriber
from cqrs.wrapping import wrapped

Value = TypeVar("Value")
Error = TypeVar("Error")

# Composes one pipeline, but for its context.
Composing = Callable[[Bound, HandlerInfo, Surroundings], Observed]


@final
@attrs.frozen(eq=False)
class Sealed:
    """Every pipeline of an app.

    Attributes:
        pipelines: by kind and message class.
        audiences: who hears an event class, for those that subscribers name.
        find: composes the audience of another event class.
        context: whether dispatches have a context.
    """

    pipelines: Mapping[Kind, Mapping[type, Next]]
    audiences: Mapping[type[Event], Audience]
    find: Callable[[type[Event]], Audience]
    context: bool


def seal(
    registry: Registry,
    calls: Mapping[Entry, Bound],
    around: Surroundings,
    composing: Composing,
    delivering: Delivering,
) -> Sealed:
    """Compose every pipeline, then decide for all of them whether dispatches have a context.

    Args:
        registry: who handles what.
        calls: the handlers with their dependencies bound.
        around: what the app hangs around them.
        composing: composes one pipeline.
        delivering: what every delivery needs.

    Raises:
        CompositionError: if ``composing`` says so of a middleware that cannot be composed.
    """
    handlers = {m: composing(calls[e], e.info, around) for m, e in registry.handlers.items()}
    audiences = Audiences(registry, calls, around, composing, delivering)
    hearing = {event: audiences.composed(event) for entry in registry.subscribers for event in entry.events}
    every = [*handlers.values(), *(each for heard in hearing.values() for each in heard)]
    context = around.context or any(each.active for each in every) or watches(around.instruments)
    pipelines: dict[Kind, dict[type, Next]] = {"command": {}, "query": {}}
    for message, each in handlers.items():
        pipelines[each.handler.kind][message] = each.within(context)
    late = attrs.evolve(audiences, around=attrs.evolve(around, context=context), composing=composed_late)
    heard = {event: late.audience(event, each) for event, each in hearing.items()}
    return Sealed(pipelines, heard, late.of, context)


@final
@attrs.frozen(eq=False)
class Audiences:
    """Finds who hears an event class: the subscribers of it and of the classes that it derives from.

    Attributes:
        registry: who subscribes, in the order of registration.
        calls: their functions, dependencies bound.
        around: what the app hangs around them.
        composing: composes one pipeline.
        delivering: what every delivery needs.
    """

    registry: Registry
    calls: Mapping[Entry, Bound]
    around: Surroundings
    composing: Composing
    delivering: Delivering

    def of(self, event: type[Event]) -> Audience:
        """Compose the pipelines of everybody who hears an event class."""
        return self.audience(event, self.composed(event))

    def composed(self, event: type[Event]) -> tuple[Observed, ...]:
        """Compose them but for their context.

        Args:
            event: the event class.
        """
        return tuple(self.composing(call, info, self.around) for call, info, _ in self._hearing(event))

    def audience(self, event: type[Event], composed: tuple[Observed, ...]) -> Audience:
        """Give those who hear an event class.

        Args:
            event: the event class.
            composed: their pipelines, which have a context or not as ``around`` says.
        """
        subscribers = [
            self._subscriber(call, entry, each)
            for each, (call, _, entry) in zip(composed, self._hearing(event), strict=True)
        ]
        strategy = strategy_of(event, self.registry.strategies)
        return Audience(self._name_of(event), tuple(subscribers), strategy, self._settle(event))

    def _settle(self, event: type[Event]) -> Settle | None:
        """Compose what an event makes invalid; it needs no subscriber for that."""
        declared = self.registry.invalidations
        invalidates = tuple(each for cls in event.__mro__ for each in declared.get(cls, ()))
        if not invalidates:
            return None
        info = HandlerInfo("event", event, self._name_of(event), "publish", "", invalidates=invalidates)
        wraps = self.around.wraps.get("event", ())
        settle = wrapped(_ended, info, wraps, "invalidation", self.around.failures)
        return None if settle is _ended else cast("Settle", settle)

    def _hearing(self, event: type[Event]) -> Iterator[tuple[Bound, HandlerInfo, Entry]]:
        name = self._name_of(event)
        for entry in self.registry.subscribers:
            if any(issubclass(event, each) for each in entry.events):
                info = attrs.evolve(entry.info, message=event, message_type=name)
                yield self.calls[entry], info, entry

    def _subscriber(self, call: Bound, entry: Entry, composed: Observed) -> Subscriber:
        alone = bare(call, composed.handler, self.around)
        deliver = composed.within(self.around.context) if alone is None else guard(alone, composed.handler)
        return Subscriber(composed.handler, deliver, self.delivering, entry.sequence, alone)

    def _name_of(self, event: type[Event]) -> str:
        names = {each: name for entry in self.registry.subscribers for each, name in entry.events.items()}
        return names.get(event, event.__qualname__)


def composed(call: Bound, handler: HandlerInfo, around: Surroundings) -> Observed:
    """Compose a pipeline; a middleware that cannot be composed is a problem like any other.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.
    """
    try:
        return prepare(call, handler, around)
    except Exception as error:
        problem = Problem(
            Code.MIDDLEWARE_FAILED,
            f"a middleware could not be composed around {handler.handler}: {type(error).__name__}: {error}.",
            "a middleware is called with (next, handler) and returns an async function of the message.",
            handler.place,
        )
        raise CompositionError((problem,)) from error


def composed_late(call: Bound, handler: HandlerInfo, around: Surroundings) -> Observed:
    """Compose a pipeline while the app runs: what cannot be composed fails its deliveries, not the publisher.

    Args:
        call: the handler with its dependencies bound.
        handler: what is known of it.
        around: what the app hangs around its handlers.
    """
    try:
        return prepare(call, handler, around)
    except Exception as error:  # noqa: BLE001 - logged, and the answer of every delivery
        fault = crashed(error, handler, "middleware")

    async def failing(message: object, /) -> AnyResult:
        del message
        return Failure(fault)

    return Observed(failing, handler, (), (), active=False)


async def _ended(message: Message[Value, Error], /) -> Result[Value, Error | Fault]:
    """Stand where the handler does in other pipelines: the deliveries have ended."""
    del message
    return cast("Result[Value, Error | Fault]", Success(None))
