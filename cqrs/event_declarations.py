"""What a feature declares of events: who subscribes to them, and how those who do hear them."""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, final, overload

import attrs
from returns.result import Result

from cqrs.declarations import AnyHandler
from cqrs.deliveries import PublishStrategy
from cqrs.messages import Event, has_type_id, type_ids
from cqrs.problems import Code, Problem, name_of, place_of, place_of_call
from cqrs.retry import RetryPolicy

EventType = TypeVar("EventType", bound=Event)
First = TypeVar("First", bound=Event)
Second = TypeVar("Second", bound=Event)
Third = TypeVar("Third", bound=Event)
Deps = ParamSpec("Deps")
Declared = TypeVar("Declared", bound=Callable[..., object])

# Only what is transient is tried again: an e-mail is not sent three times because of a bug.
DELIVERY_RETRY: Final = RetryPolicy(3)

# Takes an event of the subscriber's and gives what it has to keep its place in; None if that one stands alone.
Sequencing = Callable[[Event], object]


@final
@attrs.frozen(eq=False)
class Subscribing:
    """One subscriber and the events that it hears.

    Attributes:
        events: the event classes; their subclasses are heard too.
        handler: the function or class.
        name: the stable name it was given, or None.
        timeout: seconds after which an attempt is cancelled, or None.
        retry: whether what failed is tried again, or None.
        sequence: what an event keeps its place in, or None.
    """

    events: tuple[type[Event], ...]
    handler: AnyHandler
    name: str | None
    timeout: float | None
    retry: RetryPolicy | None = DELIVERY_RETRY
    sequence: Callable[..., object] | None = None


@final
@attrs.frozen(eq=False)
class Publishing:
    """How the subscribers of one event hear it.

    Attributes:
        event: the event class; its subclasses are heard so too, unless they are declared themselves.
        strategy: how.
        place: ``file:line`` of the declaration.
    """

    event: type[Event]
    strategy: PublishStrategy
    place: str


@final
class Subscription(Generic[EventType]):
    """The second step of ``subscribes``: takes the subscriber, checked against the events."""

    def __init__(
        self, declared: Callable[[AnyHandler], Subscribing], subscribings: list[Subscribing]
    ) -> None:
        self._declared = declared
        self._subscribings = subscribings

    @overload
    def __call__(
        self, handler: Callable[Concatenate[EventType, Deps], Coroutine[Any, Any, Result[object, object]]], /
    ) -> Callable[Concatenate[EventType, Deps], Coroutine[Any, Any, Result[object, object]]]: ...
    @overload
    def __call__(
        self, handler: Callable[Deps, Callable[[EventType], Coroutine[Any, Any, Result[object, object]]]], /
    ) -> Callable[Deps, Callable[[EventType], Coroutine[Any, Any, Result[object, object]]]]: ...
    def __call__(self, handler: Declared, /) -> Declared:
        """Register the subscriber and give it back unchanged."""
        self._subscribings.append(self._declared(handler))
        return handler


class EventDeclarations:
    """The part of a feature that declares events.

    Attributes:
        subscribings: what ``subscribes`` was given.
        publishings: what ``publishes`` was given.
    """

    def __init__(self) -> None:
        super().__init__()
        self.subscribings: list[Subscribing] = []
        self.publishings: list[Publishing] = []

    @overload
    def subscribes(
        self,
        first: type[First],
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = DELIVERY_RETRY,
        sequence: Callable[[First], object] | None = None,
    ) -> Subscription[First]: ...
    @overload
    def subscribes(
        self,
        first: type[First],
        second: type[Second],
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = DELIVERY_RETRY,
        sequence: Callable[[First | Second], object] | None = None,
    ) -> Subscription[First | Second]: ...
    @overload
    def subscribes(
        self,
        first: type[First],
        second: type[Second],
        third: type[Third],
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = DELIVERY_RETRY,
        sequence: Callable[[First | Second | Third], object] | None = None,
    ) -> Subscription[First | Second | Third]: ...
    @overload
    def subscribes(
        self,
        first: type[Event],
        second: type[Event],
        third: type[Event],
        fourth: type[Event],
        /,
        *more: type[Event],
        name: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = DELIVERY_RETRY,
        sequence: Callable[[Event], object] | None = None,
    ) -> Subscription[Event]: ...
    def subscribes(
        self,
        *events: type[Event],
        name: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = DELIVERY_RETRY,
        sequence: Callable[..., object] | None = None,
    ) -> object:
        """Declare a subscriber of one or more events and of their subclasses.

        What fails after its last attempt is parked among the dead letters of this subscriber.

        Args:
            events: the event classes.
            name: its stable name, unique in the app; module and qualified name if not given.
            timeout: seconds after which an attempt is cancelled and fails with ``TimedOut``.
            retry: whether what failed is tried again: by default up to three attempts, only for what is transient; None
                for one attempt.
            sequence: gives what an event has to keep its place in, ``lambda event: event.order``: while one of them is
                parked, later ones of the same are parked behind it. It has to be told apart by its ``str``.
        """

        def declared(handler: AnyHandler) -> Subscribing:
            return Subscribing(events, handler, name, timeout, retry, sequence)

        return Subscription[Event](declared, self.subscribings)

    def publishes(
        self, event: type[Event], *, strategy: PublishStrategy | str = PublishStrategy.CONCURRENT
    ) -> None:
        """Say how the subscribers of an event hear it; at once if nothing is said.

        Args:
            event: the event class; its subclasses are heard so too, unless they are declared themselves.
            strategy: how.

        Raises:
            ValueError: if there is no such strategy.
        """
        self.publishings.append(Publishing(event, PublishStrategy(strategy), place_of_call()))


def strategies(
    publishings: Iterable[Publishing], problems: list[Problem]
) -> dict[type[Event], PublishStrategy]:
    """Collect how events are heard.

    Args:
        publishings: what the features declare.
        problems: takes what is declared in two ways.
    """
    declared: dict[type[Event], Publishing] = {}
    for publishing in publishings:
        if not _is_event(publishing.event):
            problems.append(_no_event(publishing))
        elif declared.setdefault(publishing.event, publishing).strategy is not publishing.strategy:
            problems.append(_two_strategies(declared[publishing.event], publishing))
    return {event: publishing.strategy for event, publishing in declared.items()}


def strategy_of(event: type[Event], declared: Mapping[type[Event], PublishStrategy]) -> PublishStrategy:
    """Give how an event is heard: as declared of it, or of the nearest class that it derives from.

    Args:
        event: the event class.
        declared: by event class.
    """
    nearest = (declared[base] for base in event.__mro__ if base in declared)
    return next(nearest, PublishStrategy.CONCURRENT)


def same_type_ids(events: Iterable[type[Event]]) -> Iterator[Problem]:
    """Find events that would be stored under one name that one of them was given.

    Args:
        events: every event class that an app knows.
    """
    by_id: dict[str, list[type[Event]]] = defaultdict(list)
    for event in dict.fromkeys(events):
        for each in dict.fromkeys(type_ids(event)):
            by_id[each].append(event)
    for each, (first, *others) in by_id.items():
        if others and any(map(has_type_id, (first, *others))):
            yield _same_type_id(each, first, others)


def _is_event(event: object) -> bool:
    return isinstance(event, type) and issubclass(event, Event)


def _two_strategies(first: Publishing, second: Publishing) -> Problem:
    return Problem(
        Code.TWO_STRATEGIES,
        f"{name_of(second.event)} is published {second.strategy}, but {first.strategy} at {first.place}.",
        "keep one of the two publishes(...).",
        second.place,
    )


def _no_event(publishing: Publishing) -> Problem:
    return Problem(
        Code.WRONG_KIND,
        f"publishes(...) was given {name_of(publishing.event)}, which is no event.",
        "it takes a subclass of Event.",
        publishing.place,
    )


def _same_type_id(name: str, first: type[Event], others: list[type[Event]]) -> Problem:
    return Problem(
        Code.DUPLICATE_TYPE_ID,
        f"{name_of(first)} and {', '.join(map(name_of, others))} would be stored under the same name {name!r}.",
        "give each a name of its own: @type_id(...); an alias belongs to one event too.",
        place_of(others[0]),
    )
