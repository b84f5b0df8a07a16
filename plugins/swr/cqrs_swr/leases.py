"""Leases: one process computes for all. They save work and guard nothing: who gets none in time computes as well."""

import os
from typing import Final, final

import anyio

from cqrs.caching import CacheStore

LEASE_SECONDS: Final = 2.0
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.1


@final
class Lease:
    """The right to compute one answer for all processes.

    Args:
        store: where processes see one another's leases.
        key: the answer's key between processes.
    """

    def __init__(self, store: CacheStore, key: bytes) -> None:
        self._store = store
        self._key = key
        self._owner = os.urandom(8)

    async def take(self) -> bool:
        """Take it; False while another process has it."""
        return await self._store.lease(self._key, self._owner, LEASE_SECONDS)

    async def keep(self) -> None:
        """Prolong it until this is cancelled."""
        while True:
            await anyio.sleep(LEASE_SECONDS / 2)
            await self.take()

    async def give_back(self) -> None:
        """End it; nothing happens if it has run out and is another process's by now."""
        await self._store.release(self._key, self._owner)


@final
class Pauses:
    """How long to wait before looking again: short at first, then longer."""

    def __init__(self) -> None:
        self._next = _FIRST_PAUSE

    async def wait(self) -> None:
        """Wait once."""
        pause, self._next = self._next, min(self._next * 2, _LONGEST_PAUSE)
        await anyio.sleep(pause)
