"""The store: the log before the reply, memory for the newest rows, parquet for the rest.

Everything that changes state runs in the event loop's thread; threads only get values that nobody
changes any more. The order that makes a kill harmless: catalogue, then segments, then the log's end.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from cqrs.clock import Clock, SystemClock
from cqrs_local.catalogue import CatalogueFile, Stream, StreamKey
from cqrs_local.column_types import TIMESTAMP, ColumnType, Row, widened
from cqrs_local.flush import FlushJob, FlushResult, remove_log, run_flush
from cqrs_local.memory import Generation
from cqrs_local.recovery import recover
from cqrs_local.segment_index import SegmentIndex
from cqrs_local.segments import Segments
from cqrs_local.store_settings import StoreSettings
from cqrs_local.views import StreamView, view_of
from cqrs_local.wal import Wal

logger: Final = logging.getLogger("cqrs_local")


class StoreFullError(Exception):
    """Memory holds as much as it may while the disk does not take it."""


class Store:
    """Streams of rows in one directory that this process alone writes to."""

    def __init__(self, directory: Path, settings: StoreSettings, clock: Clock | None = None) -> None:
        """Open what is there and replay its logs.

        Args:
            directory: a prepared and locked data directory.
            settings: see `StoreSettings`.
            clock: tells the time; tests hand in their own.

        Raises:
            OSError, ValueError: the directory cannot be read or written.
        """
        self.settings = settings
        self.clock = clock if clock is not None else SystemClock()
        self._logs = directory / "wal"
        self._file = CatalogueFile(directory)
        self.catalogue = self._file.load()
        for needed in (self._logs, directory / "segments"):
            needed.mkdir(mode=0o700, exist_ok=True)
        self._segments = Segments(directory / "segments")
        recovered = recover(self._logs, self.catalogue, self._segments, self._monotonic())
        self.index = SegmentIndex(recovered.segments)
        self._frozen: list[Generation] = recovered.generations
        self._number = recovered.next_number
        self._active, self._wal = self._open_generation()
        self._version = 0
        self._appended = self._synced = 0
        self._sync_turn = asyncio.Lock()
        self._flush_turn = asyncio.Lock()
        self._due = asyncio.Event()
        self._stop = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write segments in the background."""
        self._flusher = asyncio.create_task(self._flush_when_due(), name="cqrs-local-flush")

    async def close(self) -> None:
        """Write what memory holds to segments and let go of the files; the logs keep what does not fit."""
        self._stop.set()
        self._due.set()
        if self._flusher is not None:
            await self._flusher
        try:
            await self.flush()
        except OSError as error:
            logger.warning("segments not written at the stop (%s); the log keeps the rows", error)
        if self._active.wal is not None:
            self._active.wal.close()

    async def ingest(self, key: StreamKey, rows: Sequence[Row]) -> None:
        """Store rows; when this returns they survive the death of the process.

        Args:
            key: organisation, type, normalised name; the stream is made if it is new.
            rows: flat rows with a `_timestamp` each.

        Raises:
            OSError: the log could not be written: none of the rows is stored.
            StoreFullError: memory is full: none of the rows is stored.
        """
        if not rows:
            return
        self._append(key, rows)
        if self._active.rows >= self.settings.segment_rows or self._wal.size >= self.settings.segment_bytes:
            self._due.set()
        if self.settings.fsync:
            await self._wait_for_disk()

    def create_stream(
        self, key: StreamKey, columns: dict[str, ColumnType], settings: dict[str, object]
    ) -> Stream:
        """Make a stream that does not exist yet.

        Raises:
            OSError: the catalogue could not be written; there is no such stream.
        """
        stream = self.catalogue.create(key, self.now(), by_ingestion=False)
        stream.columns = {**columns, TIMESTAMP: ColumnType.INT64}
        stream.settings = settings
        try:
            self.save_catalogue()
        except OSError:
            self.catalogue.remove(stream)
            raise
        return stream

    def describe(self, key: StreamKey, meta: dict[str, str]) -> None:
        """Make a metrics stream if need be, and remember what it says of itself.

        Raises:
            OSError: the catalogue could not be written.
        """
        stream = self.catalogue.find(key)
        if stream is not None and stream.meta == meta:
            return
        (stream or self.catalogue.create(key, self.now())).meta = meta
        self.save_catalogue()

    def add_organization(self, name: str) -> None:
        """Make an organisation unless there is one of that name.

        Raises:
            OSError: the catalogue could not be written.
        """
        if name not in self.catalogue.orgs:
            self.catalogue.add_org(name)
            self.save_catalogue()

    def save_catalogue(self) -> None:
        """Make every change to organisations, streams and settings durable.

        Raises:
            OSError: the disk refused.
        """
        self._version += 1
        self._file.save(self._version, self.catalogue.encode())

    async def delete_stream(self, stream: Stream) -> None:
        """Remove a stream with all its rows.

        Raises:
            OSError: the catalogue could not be written; the stream is still there.
        """
        self.catalogue.remove(stream)
        try:
            self.save_catalogue()
        except OSError:
            self.catalogue.put_back(stream)
            raise
        for generation in self._generations():
            generation.drop(stream.id)
        self.index.drop(stream.id)
        await asyncio.to_thread(self._segments.remove, stream.id)

    def view(self, key: StreamKey) -> StreamView | None:
        """What a query sees of a stream now; later changes do not touch it."""
        stream = self.catalogue.find(key)
        if stream is None:
            return None
        return view_of(stream, self.index.of(stream.id), self._generations(), self._segments)

    def now(self) -> int:
        """The time in microseconds."""
        return self.clock.time_ns() // 1_000

    async def flush(self) -> None:
        """Write everything in memory to segments.

        Raises:
            OSError: the disk refused; what was not written stays in memory and in its log.
        """
        async with self._flush_turn:
            if self._active.rows:
                self._freeze()
            while self._frozen:
                await self._flush_oldest()

    def _append(self, key: StreamKey, rows: Sequence[Row]) -> None:
        if sum(generation.rows for generation in self._generations()) >= self.settings.memory_rows:
            raise StoreFullError("memory is full, segments cannot be written fast enough")
        if self._wal.broken:
            self._freeze()
        known = self.catalogue.find(key)
        stream_id, created_at = (
            (known.id, known.created_at) if known is not None else (self.catalogue.next_id, self.now())
        )
        self._wal.append(orjson.dumps((stream_id, *key, created_at, rows)))
        self._appended += 1
        stream = known if known is not None else self.catalogue.create(key, created_at)
        if changed := widened(stream.columns, rows):
            stream.columns = {**stream.columns, **changed}
        self._active.append(stream.id, rows, stream.columns)

    async def _wait_for_disk(self) -> None:
        ticket = self._appended
        async with self._sync_turn:
            if self._synced < ticket:
                covered = self._appended
                await asyncio.to_thread(self._wal.sync)
                self._synced = max(self._synced, covered)

    def _freeze(self) -> None:
        if self.settings.fsync:
            self._wal.sync()
            self._synced = self._appended
        fresh, wal = self._open_generation()
        self._frozen.append(self._active)
        self._active, self._wal = fresh, wal

    def _open_generation(self) -> tuple[Generation, Wal]:
        number = self._number
        wal = Wal(self._logs / f"{number:012}.wal", number)
        self._number += 1
        return Generation(number, wal.path, self._monotonic(), wal), wal

    async def _flush_when_due(self) -> None:
        while not self._stop.is_set():
            await _wait(self._due, self._seconds_until_due())
            self._due.clear()
            if not self._stop.is_set() and (self._frozen or self._is_due()):
                await self._flush_or_retry()

    async def _flush_or_retry(self) -> None:
        try:
            await self.flush()
        except OSError as error:
            logger.error("segments cannot be written: %s; trying again, nothing is lost", error)  # noqa: TRY400  # the reason is the whole story
            await _wait(self._stop, self.settings.retry_seconds)

    def _is_due(self) -> bool:
        return self._active.rows > 0 and (
            self._active.rows >= self.settings.segment_rows
            or self._wal.size >= self.settings.segment_bytes
            or self._monotonic() - self._active.opened_at >= self.settings.segment_seconds
        )

    def _seconds_until_due(self) -> float:
        if self._frozen:
            return 0.0
        age = self._monotonic() - self._active.opened_at
        return (
            max(self.settings.segment_seconds - age, 0.05)
            if self._active.rows
            else self.settings.segment_seconds
        )

    async def _flush_oldest(self) -> None:
        generation = self._frozen[0]
        self._version += 1
        job = FlushJob.of(generation, self.catalogue, self._version)
        result = await asyncio.to_thread(run_flush, job, self._file, self._segments)
        self._keep(generation, result)
        if result.error is not None:
            raise result.error
        self._frozen.remove(generation)
        async with self._sync_turn:  # nobody waits for the disk on a log that is being closed
            await asyncio.to_thread(remove_log, generation)

    def _keep(self, generation: Generation, result: FlushResult) -> None:
        for stream_id, segment in result.written.items():
            generation.drop(stream_id)
            if self.catalogue.get(stream_id) is None:
                self._segments.remove(stream_id)
            else:
                self.index.add(stream_id, segment)

    def _generations(self) -> Sequence[Generation]:
        return (*self._frozen, self._active)

    def _monotonic(self) -> float:
        return self.clock.monotonic_ns() / 1e9


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
