"""One query class as the cache knows it: its policy with every number said, its keys, its codec."""

import math
from collections.abc import Iterable
from typing import Final, final

import attrs

from cqrs import Fault
from cqrs.caching import AnyQuery, CachePolicy, is_rejection, is_transient
from cqrs.middleware import HandlerInfo, Next
from cqrs_swr.encoding import Unkeyable
from cqrs_swr.epochs import scope
from cqrs_swr.freshness import Outcome, Windows, outcome_of
from cqrs_swr.keys import Keys, Owner, type_id_of, unkeyable_fields
from cqrs_swr.settings import Settings
from cqrs_swr.values import JsonCodec, NotStorable, answer_type

# No answer is served for longer, however long its policy says: so long are invalidations remembered.
LONGEST: Final = 30 * 24 * 3600.0
_ALL: Final = scope("all")


@final
@attrs.frozen(eq=False)
class CachedQuery:
    """A query class whose answers are cached.

    Attributes:
        info: what is known of its handler.
        next: the rest of its pipeline.
        policy: as it was declared.
        windows: its numbers, what was not said taken from the settings.
        keys: makes its keys.
        codec: writes its answers; None if they are kept in this process alone, and by reference.
        type_scope: what an invalidation of the class renews.
    """

    info: HandlerInfo
    next: Next
    policy: CachePolicy
    windows: Windows
    keys: Keys
    codec: JsonCodec | None
    type_scope: bytes

    def scopes(self, query: AnyQuery, owner: Owner, shared_key: bytes) -> tuple[bytes, ...]:
        """Name everything by which an answer can be made invalid.

        Args:
            query: the query.
            owner: whose answer it is.
            shared_key: its key between processes.

        Raises:
            Unkeyable: if its tags cannot be told.
        """
        tenant = (scope("tenant", owner[-1].encode()),) if owner else ()
        tags = (scope("tag", tag.encode()) for tag in self._tags(query))
        return (_ALL, self.type_scope, *tenant, *tags, scope("key", shared_key))

    def _tags(self, query: AnyQuery) -> Iterable[str]:
        if self.policy.tags is None:
            return ()
        try:
            return listed(self.policy.tags(query))
        except Exception as error:
            raise Unkeyable(f"its tags: {type(error).__name__}: {error}"[:300]) from error

    def ttl_of(self, query: AnyQuery, value: object) -> float:
        """Say for how many seconds a value is fresh; 0 if it is not kept.

        Args:
            query: the query.
            value: its answer.

        Raises:
            NotStorable: if the policy's function gives no time.
        """
        if self.policy.cache_if is not None and not self.policy.cache_if(query, value):
            return 0.0
        if not callable(self.policy.ttl):
            return self.windows.ttl
        seconds = self.policy.ttl(query, value)
        if not seconds >= 0:
            raise NotStorable(f"its ttl gave {seconds!r}")
        return min(seconds, LONGEST)

    def outcome(self, error: object) -> Outcome:
        """Tell what a ``Failure`` means for the entry.

        Args:
            error: what it holds.
        """
        return outcome_of(
            error,
            kept=self.negative_seconds(error),
            is_answer=is_rejection(error),
            is_transient=is_transient(error) or isinstance(error, OSError | Fault),
            classify=self.policy.classify,
        )

    def negative_seconds(self, error: object) -> float | None:
        """Say for how many seconds a ``Failure`` is kept; None if its class is not listed.

        Args:
            error: what it holds.
        """
        kept = (self.policy.negative.get(cls) for cls in type(error).__mro__)
        return next((seconds for seconds in kept if seconds is not None), None)


def listed(tags: Iterable[str]) -> tuple[str, ...]:
    """Give tags as a tuple; a text that was meant as one tag is one."""
    return (tags,) if isinstance(tags, str) else tuple(tags)


def windows_of(policy: CachePolicy, settings: Settings) -> Windows | None:
    """Say every number of a policy: as declared, else as set, else off; None if nothing is to be cached.

    Args:
        policy: as it was declared.
        settings: the plugin's.
    """
    ttl = math.inf if callable(policy.ttl) else _said(policy.ttl, settings.ttl)
    if ttl == 0:
        return None
    return Windows(
        min(ttl, LONGEST),
        _said(policy.stale, settings.stale),
        _said(policy.fail_safe, settings.fail_safe),
        policy.eager,
        policy.soft_timeout,
        *policy.backoff,
    )


def _said(declared: float | None, by_setting: float | None) -> float:
    if declared is not None:
        return declared
    return 0.0 if by_setting is None else by_setting


def cached_query(info: HandlerInfo, next: Next, policy: CachePolicy, windows: Windows) -> CachedQuery:
    """Prepare a query class.

    Args:
        info: what is known of its handler.
        next: the rest of its pipeline.
        policy: as it was declared.
        windows: its numbers.

    Raises:
        Unkeyable: if no key can be made of its fields.
    """
    wrong = unkeyable_fields(info.message)
    for field, why in wrong.items():
        raise Unkeyable(f"{info.message.__module__}.{info.message.__qualname__}.{field}: {why}")
    type_id = type_id_of(info.message)
    keys = Keys(info.message, type_id, policy.scope, policy.vary)
    return CachedQuery(
        info, next, policy, windows, keys, _codec(info.message), scope("type", type_id.encode())
    )


def _codec(query: type) -> JsonCodec | None:
    declared = answer_type(query)
    if declared is None:
        return None
    try:
        return JsonCodec(declared)
    except NotStorable:
        return None
