"""Upkeep of the segments in the background: old ones go, small ones become one."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

from cqrs_local.catalogue import Stream
from cqrs_local.segments import Merge, Segment
from cqrs_local.store import Store
from cqrs_local.upkeep_plan import days_kept, expired, runs

logger: Final = logging.getLogger("cqrs_local")
_PATIENCE_SECONDS: Final = 1.0


class Upkeep:
    """Looks after the segments of a store."""

    def __init__(self, store: Store) -> None:
        """Nothing runs until `start`."""
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="cqrs-local-upkeep")

    async def stop(self) -> None:
        """End; what is being merged is given up, nothing of it is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._store.settings.upkeep_seconds)
            try:
                await self.run_once()
            except OSError as error:
                logger.warning("segments cannot be looked after: %s; tried again later", error)

    async def run_once(self) -> None:
        """Remove what is too old, merge what is small.

        Raises:
            OSError: the disk refused; no row is lost or stored twice.
        """
        for stream in list(self._store.catalogue.streams()):
            days = days_kept(stream.settings, self._store.settings.retention_days)
            await self._remove(stream, expired(self._store.index.of(stream.id), self._store.now(), days))
            settings = self._store.settings
            found = runs(self._store.index.of(stream.id), settings.merged_rows, settings.merge_files)
            for run in found:
                await self._merge(stream, run)

    async def _remove(self, stream: Stream, old: Sequence[Segment]) -> None:
        def unlink() -> None:
            for segment in old:
                segment.path.unlink(missing_ok=True)

        if old:
            await self._store.index.replace(stream.id, old, unlink, _PATIENCE_SECONDS)

    async def _merge(self, stream: Stream, run: Sequence[Segment]) -> None:
        merge = await asyncio.to_thread(Merge.prepare, run)
        try:
            await self._store.index.replace(stream.id, run, partial(merge.publish, run), _PATIENCE_SECONDS)
        finally:
            merge.discard()
