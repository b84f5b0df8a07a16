"""Epochs: what an answer was computed under, and what invalidations have changed since."""

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, final

from cqrs.caching import CacheStore, InvalidationMode
from cqrs_swr.encoding import framed
from cqrs_swr.freshness import Validity

VERSION_SCOPE: Final = b""
_TOKEN_BYTES: Final = 8
_MOST_KNOWN: Final = 100_000
_PAIR: Final = struct.Struct(">8s8s")
_NOTHING: Final[Mapping[bytes, bytes]] = MappingProxyType({})


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
class Seen:
    """The epochs under which a computation began.

    Args:
        version: changes with every invalidation of anything.
        expire: the epoch of each scope.
        remove: the epoch of each scope's twin.
        packed: both as a row keeps them; taken apart when they are asked for, which most look-ups need not.

    Attributes:
        version: see above.
    """

    __slots__ = ("_expire", "_packed", "_remove", "version")

    def __init__(
        self,
        version: bytes,
        expire: Mapping[bytes, bytes] = _NOTHING,
        remove: Mapping[bytes, bytes] = _NOTHING,
        packed: bytes = b"",
    ) -> None:
        self.version = version
        self._expire = expire
        self._remove = remove
        self._packed = packed

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Seen)
            and self.version == other.version
            and (self.expire, self.remove) == (other.expire, other.remove)
        )

    def __hash__(self) -> int:
        return hash(self.version)

    @property
    def expire(self) -> Mapping[bytes, bytes]:
        """The epoch of each scope."""
        self._unpack()
        return self._expire

    @property
    def remove(self) -> Mapping[bytes, bytes]:
        """The epoch of each scope's twin."""
        self._unpack()
        return self._remove

    def packed(self) -> bytes:
        """Give both as a row keeps them: first one kind, then the other, 16 bytes each scope."""
        if self._packed:
            return self._packed
        return b"".join(name + token for each in (self._expire, self._remove) for name, token in each.items())

    def under(self, version: bytes) -> "Seen":
        """Give the same under a version of which it is known that nothing of this has changed with it."""
        return Seen(version, self._expire, self._remove, self._packed)

    def _unpack(self) -> None:
        if self._packed and not self._expire:
            pairs = tuple(_PAIR.iter_unpack(self._packed))
            half = len(pairs) // 2
            self._remove = dict(pairs[half:])
            self._expire = dict(pairs[:half])


@final
class Epochs:
    """The epochs as this process knows them: its own invalidations at once, those of others within a time.

    Args:
        store: where processes share them.
        coherence: seconds within which those of others are seen.
        token: draws an epoch.

    Attributes:
        version: changes when anything may have become invalid.
        next_sync: when it is time to ask what other processes have made invalid.
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
        self.next_sync = float("-inf")

    def is_due(self, now: float) -> bool:
        """Tell whether it is time to ask what other processes have made invalid."""
        return now >= self.next_sync

    def ask_soon(self) -> None:
        """Let the next look-up ask what other processes have made invalid, however short ago that was asked."""
        self.next_sync = float("-inf")

    async def sync(self, now: float) -> None:
        """Ask what other processes have made invalid.

        Args:
            now: the time.
        """
        self.next_sync = now + self._coherence
        before = self.version
        (shared,) = await self._store.epochs((VERSION_SCOPE,))
        if before != self.version:
            self.ask_soon()  # something was invalidated meanwhile: what was read may be older
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
