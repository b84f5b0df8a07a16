"""What a feature declares of caching: policies of queries, and what commands and events make invalid."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar, cast, final, overload

import attrs

from cqrs.cache_policy import (
    MEBIBYTE,
    TENANT,
    AnyQuery,
    CachePolicy,
    CacheScope,
    ErrorKind,
    Invalidation,
    InvalidationMode,
    mistakes,
)
from cqrs.faults import Fault
from cqrs.messages import Command, Declares, Event, Query
from cqrs.problems import Code, Problem, name_of, place_of_call

Value = TypeVar("Value")
Error = TypeVar("Error")
QueryType = TypeVar("QueryType", bound=AnyQuery)
CommandType = TypeVar("CommandType", bound=Command[object, object])
EventType = TypeVar("EventType", bound=Event)

_NOTHING: Final[Mapping[type, float]] = {}


@final
@attrs.frozen(eq=False)
class Caching:
    """The policy of one query.

    Attributes:
        query: the query class.
        policy: its policy.
        place: ``file:line`` of the declaration.
    """

    query: type
    policy: CachePolicy
    place: str


@final
@attrs.frozen(eq=False)
class Invalidating:
    """What one command or event makes invalid.

    Attributes:
        message: the command or event class.
        invalidation: what it makes invalid.
        place: ``file:line`` of the declaration.
    """

    message: type
    invalidation: Invalidation
    place: str


class CacheDeclarations:
    """The part of a feature that speaks of caching; without a cache plugin it has no effect.

    Attributes:
        cachings: what ``caches`` was given.
        invalidatings: what ``invalidates`` was given.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cachings: list[Caching] = []
        self.invalidatings: list[Invalidating] = []

    def caches(
        self,
        query: Declares[QueryType, Value, Error],
        /,
        *,
        ttl: float | Callable[[QueryType, Value], float] | None = None,
        stale: float | None = None,
        fail_safe: float | None = None,
        negative: Mapping[type, float] = _NOTHING,
        jitter: float = 0.1,
        eager: float = 0.0,
        soft_timeout: float = 0.0,
        hard_timeout: float = 30.0,
        backoff: tuple[float, float] = (1.0, 60.0),
        scope: CacheScope = TENANT,
        tags: Callable[[QueryType], Iterable[str]] | None = None,
        vary: Callable[[QueryType], object] | None = None,
        cache_if: Callable[[QueryType, Value], bool] | None = None,
        classify: Callable[[Error | Fault], ErrorKind] | None = None,
        l2: bool = True,
        lease: bool = True,
        max_bytes: int = MEBIBYTE,
    ) -> None:
        """Declare how the answers of a query are cached; times are in seconds, None is "not said", 0 is "off".

        Args:
            query: the query class.
            ttl: how long an answer is fresh, or a function of query and value that says so; 0 stores nothing.
            stale: how long after that it is still served, while it is refreshed in the background.
            fail_safe: how long after freshness it is served if refreshing fails.
            negative: how long a ``Failure`` is kept, by the error's class.
            jitter: the share of ``ttl`` that a random draw may take off, from 0 to below 1.
            eager: the share of freshness after which a look-up refreshes in the background.
            soft_timeout: how long a caller who could get an old answer waits for a new one; 0 is "until it is there".
            hard_timeout: after how long a computation is cancelled.
            backoff: shortest and longest wait after a refresh that failed.
            scope: who shares an entry; ``TENANT`` unless it is said.
            tags: what an answer can be invalidated by.
            vary: what else tells two answers apart.
            cache_if: whether an answer is worth keeping.
            classify: tells a failure that will pass (``transient``) from an ``answer``.
            l2: whether entries are kept in the store that processes share.
            lease: whether one process computes for all.
            max_bytes: the largest answer that is kept, encoded.
        """
        policy = CachePolicy(
            ttl=cast("float | Callable[[AnyQuery, object], float] | None", ttl),
            stale=stale,
            fail_safe=fail_safe,
            negative=dict(negative),
            jitter=jitter,
            eager=eager,
            soft_timeout=soft_timeout,
            hard_timeout=hard_timeout,
            backoff=backoff,
            scope=scope,
            tags=cast("Callable[[AnyQuery], Iterable[str]] | None", tags),
            vary=cast("Callable[[AnyQuery], object] | None", vary),
            cache_if=cast("Callable[[AnyQuery, object], bool] | None", cache_if),
            classify=cast("Callable[[object], ErrorKind] | None", classify),
            l2=l2,
            lease=lease,
            max_bytes=max_bytes,
        )
        self.cachings.append(Caching(cast("type", query), policy, place_of_call()))

    @overload
    def invalidates(
        self,
        event: type[EventType],
        /,
        *,
        tags: Callable[[EventType], Iterable[str]] | None = None,
        queries: Sequence[type[AnyQuery]] = (),
        mode: InvalidationMode = "expire",
    ) -> None: ...
    @overload
    def invalidates(
        self,
        command: Declares[CommandType, Value, Error],
        /,
        *,
        tags: Callable[[CommandType, Value], Iterable[str]] | None = None,
        queries: Sequence[type[AnyQuery]] = (),
        mode: InvalidationMode = "expire",
    ) -> None: ...
    def invalidates(
        self,
        message: object,
        /,
        *,
        tags: Callable[..., Iterable[str]] | None = None,
        queries: Sequence[type[AnyQuery]] = (),
        mode: InvalidationMode = "expire",
    ) -> None:
        """Declare what a command that succeeded, or an event whose deliveries have ended, makes invalid.

        Args:
            message: the command or event class; an event's subclasses are meant too.
            tags: gives the tags: of command and value, or of the event.
            queries: query classes of which every answer is invalid.
            mode: ``expire`` keeps old answers for the case that refreshing fails, ``remove`` keeps nothing,
                ``refresh`` expires and computes anew what this process holds.
        """
        invalidation = Invalidation(tags, tuple(queries), mode)
        self.invalidatings.append(Invalidating(cast("type", message), invalidation, place_of_call()))


def policies(cachings: Iterable[Caching], problems: list[Problem]) -> dict[type, CachePolicy]:
    """Give the policy of each query class.

    Args:
        cachings: what the features of an app declare.
        problems: takes what is wrong with it.
    """
    kept: dict[type, Caching] = {}
    for caching in cachings:
        problems.extend(_wrong_policy(caching))
        first = kept.setdefault(caching.query, caching)
        if first is not caching:
            problems.append(_second_policy(caching, first))
    return {query: caching.policy for query, caching in kept.items()}


def invalidations(
    invalidatings: Iterable[Invalidating], problems: list[Problem]
) -> dict[type, tuple[Invalidation, ...]]:
    """Give what each command and event class makes invalid.

    Args:
        invalidatings: what the features of an app declare.
        problems: takes what is wrong with it.
    """
    kept: dict[type, tuple[Invalidation, ...]] = {}
    for each in invalidatings:
        problems.extend(_wrong_invalidation(each))
        kept[each.message] = (*kept.get(each.message, ()), each.invalidation)
    return kept


def _wrong_policy(caching: Caching) -> Iterator[Problem]:
    if not _is_a(caching.query, Query):
        yield _wrong_kind(f"{name_of(caching.query)} has a cache policy, and is no query.", caching.place)
    for mistake in mistakes(caching.policy):
        yield Problem(
            Code.CACHE_POLICY,
            f"the cache policy of {name_of(caching.query)} cannot be kept: {mistake}.",
            "times are seconds from 0, where 0 is off; leave out what is not meant.",
            caching.place,
        )


def _second_policy(second: Caching, first: Caching) -> Problem:
    return Problem(
        Code.DUPLICATE_CACHE_POLICY,
        f"{name_of(second.query)} has two cache policies; the first stands at {first.place}.",
        "keep one of the two caches(...).",
        second.place,
    )


def _wrong_invalidation(each: Invalidating) -> Iterator[Problem]:
    if not _is_a(each.message, Command) and not _is_a(each.message, Event):
        yield _wrong_kind(
            f"{name_of(each.message)} makes answers invalid, and is no command or event.", each.place
        )
    if each.invalidation.tags is None and not each.invalidation.queries:
        yield _wrong_kind(f"what {name_of(each.message)} makes invalid is not said.", each.place)
    for query in each.invalidation.queries:
        if not _is_a(query, Query):
            yield _wrong_kind(
                f"{name_of(each.message)} makes {name_of(query)} invalid, which is no query.", each.place
            )


def _is_a(message: object, kind: type) -> bool:
    return isinstance(message, type) and issubclass(message, kind)


def _wrong_kind(text: str, place: str) -> Problem:
    fix = "caches(...) takes a query class; invalidates(...) a command or event class, and tags=... or queries=(...)."
    return Problem(Code.WRONG_KIND, text, fix, place)
