"""Single flight: one joinable computation per key, owned by the cache and by no caller."""

from contextlib import suppress
from contextvars import ContextVar
from typing import Final, Literal, final

import anyio
import attrs
from returns.result import Failure, Success

from cqrs.caching import AnyQuery, AnyResult
from cqrs_swr.cached_query import CachedQuery
from cqrs_swr.epochs import Seen
from cqrs_swr.keys import LocalKey, Owner
from cqrs_swr.sharing import is_immutable
from cqrs_swr.values import NotStorable

Trigger = Literal["miss", "stale", "eager", "invalidated", "forced"]

# The keys of the flights that this code runs within: to wait for one of them would be to wait for oneself.
within: Final[ContextVar[frozenset[LocalKey]]] = ContextVar("cqrs_swr_within", default=frozenset())


@final
@attrs.frozen
class Address:
    """Which entry a look-up is about.

    Attributes:
        cached: the query class.
        query: what is asked.
        owner: for whom.
        key: the entry's key within this process.
    """

    cached: CachedQuery
    query: AnyQuery
    owner: Owner
    key: LocalKey


@final
@attrs.define(eq=False)
class Flight:
    """One computation.

    Attributes:
        address: which entry it is for.
        trigger: why it was started.
        registered: when it was.
        is_background: whether nobody waited for it then.
        seen: the epochs under which its handler began; None before.
        started: when its handler began.
        waiters: how many callers wait for it.
        joined: how many have ever waited.
        done: set when it has ended.
        result: what it came to; None if it was given up, and its waiters have to see for themselves.
        is_transient: whether that is a failure that will pass.
        content: the answer encoded, for those who need a copy of their own.
        is_taken: whether somebody has had the answer itself, and may change it.
        scope: cancels it.
    """

    address: Address
    trigger: Trigger
    registered: float
    is_background: bool = False
    seen: Seen | None = None
    started: float = 0.0
    waiters: int = 0
    joined: int = 0
    done: anyio.Event = attrs.field(factory=anyio.Event)
    result: AnyResult | None = None
    is_transient: bool = False
    content: bytes | None = None
    is_taken: bool = False
    scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)

    def land(self, result: AnyResult, content: bytes | None) -> None:
        """Let the waiters go with an answer.

        Args:
            result: the answer.
            content: encoded, if it was; it is now if several wait for something that can be changed.
        """
        self.result = result
        self.content = content
        codec = self.address.cached.codec
        if content is None and codec is not None and self.waiters > 1 and not _can_be_shared(result):
            with suppress(NotStorable):  # then all but one of them see for themselves
                self.content = codec.encode(result.unwrap())
        self.done.set()

    def take(self) -> AnyResult | None:
        """Give a waiter the answer; None if there is none for it."""
        if self.result is None or _can_be_shared(self.result):
            return self.result
        if not self.is_taken:
            self.is_taken = True
            return self.result
        codec = self.address.cached.codec
        return None if self.content is None or codec is None else Success(codec.decode(self.content))


def _can_be_shared(result: AnyResult) -> bool:
    return isinstance(result, Failure) or is_immutable(result.unwrap())
