"""How the answers of a query are cached, as values: what users declare and what is wrong with it."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, Literal, final

import attrs

from cqrs.messages import Query

# Query is covariant: this is every query, and says nothing of what is in it.
AnyQuery = Query[object, object]
ErrorKind = Literal["transient", "answer"]
InvalidationMode = Literal["expire", "remove", "refresh"]

MEBIBYTE: Final = 1024 * 1024


class CacheScope(StrEnum):
    """Who shares an entry."""

    TENANT = "tenant"
    PRINCIPAL = "principal"
    SHARED = "shared"


TENANT: Final = CacheScope.TENANT
PRINCIPAL: Final = CacheScope.PRINCIPAL
SHARED: Final = CacheScope.SHARED


@final
@attrs.frozen(eq=False, kw_only=True)
class CachePolicy:
    """How the answers of one query are cached; every time is in seconds, None is "not said", 0 is "off".

    Attributes:
        ttl: how long an answer is fresh, or a function of query and value that says so; 0 stores nothing.
        stale: how long after that it is still served, while it is refreshed in the background.
        fail_safe: how long after freshness it is served if refreshing fails.
        negative: how long a ``Failure`` is kept, by the error's class.
        jitter: the share of ``ttl`` that a random draw may take off, from 0 to below 1.
        eager: the share of freshness after which a look-up refreshes in the background; 0 is "off".
        soft_timeout: how long a caller who could get an old answer waits for a new one; 0 is "until it is there".
        hard_timeout: after how long a computation is cancelled.
        backoff: shortest and longest wait after a refresh that failed.
        scope: who shares an entry.
        tags: what an answer can be invalidated by.
        vary: what else tells two answers apart.
        cache_if: whether an answer is worth keeping.
        classify: tells a failure that will pass from an answer; overrides the built-in rule.
        l2: whether entries are kept in the store that processes share.
        lease: whether one process computes for all.
        max_bytes: the largest answer that is kept, encoded.
    """

    ttl: float | Callable[[AnyQuery, object], float] | None = None
    stale: float | None = None
    fail_safe: float | None = None
    negative: Mapping[type, float] = attrs.field(factory=dict[type, float])
    jitter: float = 0.1
    eager: float = 0.0
    soft_timeout: float = 0.0
    hard_timeout: float = 30.0
    backoff: tuple[float, float] = (1.0, 60.0)
    scope: CacheScope = TENANT
    tags: Callable[[AnyQuery], Iterable[str]] | None = None
    vary: Callable[[AnyQuery], object] | None = None
    cache_if: Callable[[AnyQuery, object], bool] | None = None
    classify: Callable[[object], ErrorKind] | None = None
    l2: bool = True
    lease: bool = True
    max_bytes: int = MEBIBYTE


@final
@attrs.frozen(eq=False)
class Invalidation:
    """What a command that succeeded, or an event that was delivered, makes invalid.

    Attributes:
        tags: gives the tags: of command and value, or of the event.
        queries: query classes of which every answer is invalid.
        mode: ``expire`` keeps old answers for the case that refreshing fails, ``remove`` keeps nothing,
            ``refresh`` expires and computes anew what this process holds.
    """

    tags: Callable[..., Iterable[str]] | None = None
    queries: tuple[type[AnyQuery], ...] = ()
    mode: InvalidationMode = "expire"


def mistakes(policy: CachePolicy) -> Iterator[str]:
    """Say what is wrong with a policy, each number by its name; nothing if it can be kept.

    Args:
        policy: as it was declared.
    """
    yield from _out_of_range(policy)
    ttl, stale, fail_safe = policy.ttl, policy.stale, policy.fail_safe
    if ttl == 0 and any(window is not None and window > 0 for window in (stale, fail_safe)):
        yield "ttl is 0, which keeps nothing, but stale or fail_safe say how long to serve it"
    if stale is not None and fail_safe is not None and 0 < fail_safe < stale:
        yield f"fail_safe={fail_safe!r} ends before stale={stale!r}, both counted from the end of freshness"
    if policy.soft_timeout > policy.hard_timeout:
        yield f"soft_timeout={policy.soft_timeout!r} is longer than hard_timeout={policy.hard_timeout!r}"


def _out_of_range(policy: CachePolicy) -> Iterator[str]:
    windows = {"stale": policy.stale, "fail_safe": policy.fail_safe, "soft_timeout": policy.soft_timeout}
    windows |= {f"negative[{error.__qualname__}]": seconds for error, seconds in policy.negative.items()}
    for name, seconds in windows.items():
        if seconds is not None and not 0 <= seconds < math.inf:
            yield f"{name}={seconds!r} is not a time from 0"
    if policy.ttl is not None and not callable(policy.ttl) and not policy.ttl >= 0:
        yield f"ttl={policy.ttl!r} is not a time from 0, nor math.inf"
    if not 0 < policy.hard_timeout < math.inf:
        yield f"hard_timeout={policy.hard_timeout!r} is not a time above 0"
    shares = {"jitter": policy.jitter, "eager": policy.eager}
    yield from (
        f"{n}={share!r} is not a share from 0 to below 1" for n, share in shares.items() if not 0 <= share < 1
    )
    shortest, longest = policy.backoff
    if not 0 < shortest <= longest < math.inf:
        yield f"backoff={policy.backoff!r} is not a shortest and a longest time above 0"
    if policy.max_bytes <= 0:
        yield f"max_bytes={policy.max_bytes!r} is not a size above 0"
