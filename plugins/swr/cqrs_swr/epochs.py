"""Epochs: what an answer was computed under, and what invalidations have changed since."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, final

import attrs

from cqrs.caching import CacheStore, InvalidationMode
from cqrs_swr.encoding import framed
from cqrs_swr.freshness import Validity

VERSION_SCOPE: Final = b""
_TOKEN_BYTES: Final = 8
_MOST_KNOWN: Final = 100_000


def scope(kind: str, name: bytes = b"") -> bytes:
    """Name a scope in 8 bytes: two that share them share their invalidations, which is wasteful but right.

    Args:
        kind: ``all``, ``tenant``, ``type``, ``tag`` or ``key``.
        name: which one of its kind.
    """
    return hashlib.blake2b(framed(b"k", kind.encode()) + name, digest_size=_TOKEN_BYTES).digest()


def removing(name: bytes) -> bytes:
    """Name the twin of a scope that is renewed when its answers must not be served at all any more."""
    return hashlib.blake2b(b"remove" + name, digest_size=_TOKEN_BYTES).digest()


def new_token() -> bytes:
    """Draw an epoch that never was before."""
    return os.urandom(_TOKEN_BYTES)


@final
@attrs.frozen
class Seen:
    """The epochs under which a computation began.

    Attributes:
        version: changes with every invalidation of anything.
        expire: the epoch of each scope.
        remove: the epoch of each scope's twin.
    """

    version: bytes
    expire: Mapping[bytes, bytes]
    remove: Mapping[bytes, bytes]

    def pairs(self) -> tuple[tuple[bytes, bytes], ...]:
        """Everything as pairs, as a row keeps it: first one kind, then the other."""
        return (*self.expire.items(), *self.remove.items())


def seen_of(version: bytes, pairs: Sequence[tuple[bytes, bytes]]) -> Seen:
    """Read what ``Seen.pairs`` has written.

    Args:
        version: the version that stood next to it.
        pairs: the pairs.
    """
    half = len(pairs) // 2
    return Seen(version, dict(pairs[:half]), dict(pairs[half:]))


@final
class Epochs:
    """The epochs as this process knows them: its own invalidations at once, those of others within a time.

    Args:
        store: where processes share them.
        coherence: seconds within which those of others are seen.
        token: draws an epoch.

    Attributes:
        version: changes when anything may have become invalid.
    """

    def __init__(self, store: CacheStore, coherence: float, token: Callable[[], bytes] = new_token) -> None:
        self.version = token()
        self._store = store
        self._coherence = coherence
        self._token = token
        self._known: dict[bytes, bytes] = {}
        # Renewed here, and perhaps not in the store yet.
        self._pending: dict[bytes, bytes] = {}
        self._shared: bytes | None = None
        self._next_sync = float("-inf")

    def is_due(self, now: float) -> bool:
        """Tell whether it is time to ask what other processes have made invalid."""
        return now >= self._next_sync

    async def sync(self, now: float) -> None:
        """Ask what other processes have made invalid.

        Args:
            now: the time.
        """
        self._next_sync = now + self._coherence
        before = self.version
        (shared,) = await self._store.epochs((VERSION_SCOPE,))
        if before != self.version:
            self._next_sync = float("-inf")  # something was invalidated meanwhile: what was read may be older
        elif shared != self._shared:
            self._shared = shared
            self.version = self._token() if self._pending else shared
            self._known.clear()

    async def capture(self, scopes: Iterable[bytes]) -> Seen:
        """Give the epochs of scopes as they are now, all of one instant.

        Args:
            scopes: the scopes.
        """
        names = tuple(scopes)
        twins = tuple(map(removing, names))
        while True:
            version = self.version
            tokens = await self._tokens((*names, *twins))
            if version == self.version:
                return Seen(version, {n: tokens[n] for n in names}, {n: tokens[n] for n in twins})

    async def validity(self, seen: Seen) -> Validity:
        """Tell what invalidations have left of an answer that was computed under these epochs.

        Args:
            seen: the epochs.
        """
        while seen.version != self.version:
            version = self.version
            tokens = await self._tokens((*seen.remove, *seen.expire))
            if version == self.version:
                return _compared(seen, tokens)
        return Validity.VALID

    async def renew(self, scopes: Iterable[bytes], mode: InvalidationMode) -> None:
        """Make everything invalid that was computed under the epochs of these scopes so far.

        Args:
            scopes: the scopes.
            mode: whether old answers may still be served if refreshing fails.
        """
        names = [removing(name) if mode == "remove" else name for name in scopes]
        token = self.version = self._token()
        self._pending.update(dict.fromkeys(names, token))
        await self._store.renew(names, token)
        for name in names:
            if self._pending.get(name) == token:
                self._known[name] = self._pending.pop(name)

    async def _tokens(self, names: Sequence[bytes]) -> Mapping[bytes, bytes]:
        unknown = [name for name in names if name not in self._known and name not in self._pending]
        if unknown:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
                unknown = list(names)
            version = self.version
            found = dict(zip(unknown, await self._store.epochs(unknown), strict=True))
            if version != self.version:
                return dict.fromkeys(names, b"")  # of no instant: the caller asks again
            self._known.update(found)
        return {name: self._pending.get(name) or self._known[name] for name in names}


def _compared(seen: Seen, tokens: Mapping[bytes, bytes]) -> Validity:
    if any(tokens[name] != token for name, token in seen.remove.items()):
        return Validity.REMOVED
    if any(tokens[name] != token for name, token in seen.expire.items()):
        return Validity.EXPIRED
    return Validity.VALID
