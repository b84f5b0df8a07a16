"""The registry: who handles what in an app, and what is wrong with that."""

import inspect
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, final

import attrs

from cqrs.cache_declarations import invalidations, policies
from cqrs.cache_policy import CachePolicy, Invalidation
from cqrs.declarations import AnyHandler, Handling, Providing
from cqrs.deliveries import PublishStrategy
from cqrs.event_declarations import Subscribing, same_type_ids, strategies
from cqrs.features import Feature
from cqrs.messages import AnyResult, Command, Event, Query
from cqrs.middleware import HandlerInfo, Kind
from cqrs.problems import Code, Problem, name_of, place_of, same_definition

# A handler with everything but the message given to it.
Call = Callable[[Any], Coroutine[Any, Any, AnyResult]]


@final
@attrs.frozen(eq=False)
class Entry:
    """One handler or subscriber of an app.

    Attributes:
        info: what is known of it; for a subscriber of several events, of the first.
        handler: the function or class.
        events: the events that a subscriber hears, each with its name as people read it; empty for a handler.
        sequence: what an event keeps its place in for a subscriber, or None.
    """

    info: HandlerInfo
    handler: AnyHandler
    events: Mapping[type[Event], str] = attrs.field(factory=dict[type[Event], str])
    sequence: Callable[..., object] | None = None


@final
@attrs.frozen(eq=False)
class Registry:
    """Everything that the features of an app declare.

    Attributes:
        handlers: one per command and query class.
        subscribers: in the order of their registration.
        providings: one per service.
        invalidations: which answers an event, or one of a subclass, makes invalid.
        strategies: how events are heard that say so.
        problems: what is wrong with the declarations.
    """

    handlers: Mapping[type, Entry]
    subscribers: tuple[Entry, ...]
    providings: Mapping[object, Providing]
    invalidations: Mapping[type, tuple[Invalidation, ...]]
    strategies: Mapping[type[Event], PublishStrategy]
    problems: tuple[Problem, ...]

    def entries(self) -> Iterator[Entry]:
        """Every handler, then every subscriber."""
        yield from self.handlers.values()
        yield from self.subscribers

    def events(self) -> tuple[type[Event], ...]:
        """Every event class that a feature names, each once."""
        heard = (event for entry in self.subscribers for event in entry.events)
        return tuple(dict.fromkeys([*heard, *self.strategies]))


def register(features: Iterable[Feature], enabled: Mapping[Kind, bool]) -> Registry:
    """Collect what features declare.

    Args:
        features: each once.
        enabled: which buses the app has.
    """
    features = tuple(features)
    problems: list[Problem] = []
    handlings = _handlings([h for f in features for h in f.handlings], problems)
    subscribings = _once([s for f in features for s in f.subscribings])
    hearing = [s for s in subscribings if _hears_events(s, problems)]
    names = _display_names([*handlings, *(e for s in hearing for e in s.events)])
    caching = policies((c for f in features for c in f.cachings), problems)
    invalid = invalidations((i for f in features for i in f.invalidatings), problems)
    handlers = {
        m: Entry(_with_caching(_handler_info(h, names), caching, invalid), h.handler)
        for m, h in handlings.items()
    }
    subscribers = tuple(
        Entry(_subscriber_info(s, names), s.handler, {e: names[e] for e in s.events}, s.sequence)
        for s in hearing
    )
    problems.extend(_same_subscriber_names(subscribers))
    heard = strategies((p for f in features for p in f.publishings), problems)
    problems.extend(same_type_ids([*heard, *(e for s in hearing for e in s.events)]))
    registry = Registry(
        handlers, subscribers, _providings(features, problems), invalid, heard, tuple(problems)
    )
    return attrs.evolve(registry, problems=(*problems, *_not_async(registry), *_disabled(registry, enabled)))


def _handlings(declared: list[Handling], problems: list[Problem]) -> dict[type, Handling]:
    by_message: dict[type, Handling] = {}
    for handling in declared:
        if _kind_of(handling.message) is None:
            problems.append(_wrong_kind(handling.message, handling.handler))
            continue
        first = by_message.setdefault(handling.message, handling)
        if same_definition(first.handler, handling.handler):
            by_message[handling.message] = handling  # a module that was imported anew: its latest counts
        else:
            problems.append(_second_handler(handling, first))
    return by_message


def _kind_of(message: object) -> Kind | None:
    if isinstance(message, type) and issubclass(message, Command):
        return "command"
    return "query" if isinstance(message, type) and issubclass(message, Query) else None


def _once(subscribings: list[Subscribing]) -> list[Subscribing]:
    kept: list[Subscribing] = []
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for each in subscribings:
        known = alike[each.name, name_of(each.handler), *map(id, each.events)]
        at = next((at for at in known if same_definition(kept[at].handler, each.handler)), None)
        if at is None:
            known.append(len(kept))
            kept.append(each)
        else:
            kept[at] = each
    return kept


def _display_names(messages: Iterable[type]) -> dict[type, str]:
    distinct = dict.fromkeys(messages)
    taken = Counter(message.__qualname__ for message in distinct)
    return {m: m.__qualname__ if taken[m.__qualname__] == 1 else name_of(m) for m in distinct}


def _handler_info(handling: Handling, names: Mapping[type, str]) -> HandlerInfo:
    message, handler, options = handling.message, handling.handler, handling.options
    return HandlerInfo(
        _kind_of(message) or "command",
        message,
        names[message],
        name_of(handler),
        place_of(handler),
        timeout=options.timeout,
        retry=options.retry,
        log_fields=options.log_fields,
    )


def _with_caching(
    info: HandlerInfo,
    caching: Mapping[type, CachePolicy],
    invalid: Mapping[type, tuple[Invalidation, ...]],
) -> HandlerInfo:
    invalidates = tuple(each for cls in info.message.__mro__ for each in invalid.get(cls, ()))
    policy = caching.get(info.message)
    return attrs.evolve(info, cache=policy, invalidates=invalidates) if policy or invalidates else info


def _subscriber_info(subscribing: Subscribing, names: Mapping[type, str]) -> HandlerInfo:
    handler, dotted = subscribing.handler, name_of(subscribing.handler)
    event = subscribing.events[0]
    name, timeout = subscribing.name or dotted, subscribing.timeout
    return HandlerInfo(
        "event",
        event,
        names[event],
        dotted,
        place_of(handler),
        name,
        timeout,
        retry=subscribing.retry,
    )


def _hears_events(subscribing: Subscribing, problems: list[Problem]) -> bool:
    strangers = [event for event in subscribing.events if not _is_event(event)]
    problems.extend(_wrong_kind(stranger, subscribing.handler) for stranger in strangers)
    if not subscribing.events:
        problems.append(_hears_nothing(subscribing))
    return bool(subscribing.events) and not strangers


def _is_event(message: object) -> bool:
    return isinstance(message, type) and issubclass(message, Event)


def _hears_nothing(subscribing: Subscribing) -> Problem:
    return Problem(
        Code.WRONG_KIND,
        f"subscriber {name_of(subscribing.handler)} names no event.",
        "pass the event classes to subscribes(...).",
        place_of(subscribing.handler),
    )


def _same_subscriber_names(subscribers: tuple[Entry, ...]) -> Iterator[Problem]:
    by_name: dict[str, list[Entry]] = defaultdict(list)
    for entry in subscribers:
        by_name[entry.info.subscriber or ""].append(entry)
    for name, (first, *others) in by_name.items():
        for other in others:
            yield Problem(
                Code.DUPLICATE_SUBSCRIBER,
                f"two subscribers are named {name!r}: {first.info.handler} at {first.info.place} and {other.info.handler}.",
                "give one of them another name: subscribes(..., name=...); a subscriber of several events names them in one.",
                other.info.place,
            )


def _providings(features: Iterable[Feature], problems: list[Problem]) -> dict[object, Providing]:
    by_service: dict[object, Providing] = {}
    for providing in (p for f in features for p in f.providings):
        first = by_service.setdefault(providing.service, providing)
        if same_definition(first.factory, providing.factory):
            by_service[providing.service] = providing
        else:
            problems.append(
                Problem(
                    Code.AMBIGUOUS_DEPENDENCY,
                    f"{name_of(providing.service)} is provided twice: by {name_of(first.factory)} at "
                    f"{place_of(first.factory)} and by {name_of(providing.factory)}.",
                    "keep one of the two provides(...).",
                    place_of(providing.factory),
                )
            )
    return by_service


def _second_handler(second: Handling, first: Handling) -> Problem:
    message = name_of(second.message)
    return Problem(
        Code.DUPLICATE_HANDLER,
        f"{message} has two handlers: {name_of(first.handler)} at {place_of(first.handler)} and "
        f"{name_of(second.handler)}.",
        "remove one of them; to react to something that happened, publish an event.",
        place_of(second.handler),
    )


def _wrong_kind(message: object, handler: object) -> Problem:
    return Problem(
        Code.WRONG_KIND,
        f"{name_of(handler)} is registered for {name_of(message)}, which is no message of that kind.",
        "handles(...) takes a subclass of Command or Query, subscribes(...) subclasses of Event.",
        place_of(handler),
    )


def _not_async(registry: Registry) -> Iterator[Problem]:
    for entry in registry.entries():
        called = entry.handler.__call__ if isinstance(entry.handler, type) else entry.handler
        if not any(inspect.iscoroutinefunction(each) for each in (called, type(called).__call__)):
            yield Problem(
                Code.NOT_ASYNC,
                f"{entry.info.handler} is not an async function (of a class: its __call__).",
                "write it with async def; a function that returns a FutureResult or IOResult goes through lift(...).",
                entry.info.place,
            )


def _disabled(registry: Registry, enabled: Mapping[Kind, bool]) -> Iterator[Problem]:
    for entry in registry.entries():
        kind = entry.info.kind
        if not enabled[kind]:
            what = "subscribes to" if kind == "event" else "handles"
            yield Problem(
                Code.BUS_DISABLED,
                f"{entry.info.handler} {what} {entry.info.message_type}, but the {kind} bus is disabled.",
                f"remove enable_{kind}_bus=False from for_root(...), or the feature that needs the bus.",
                entry.info.place,
            )
