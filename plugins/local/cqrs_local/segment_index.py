"""Which segments belong to which stream, and when they may be replaced on disk.

The query engine reads whole directories, so files change only while no query runs: a change holds up new
queries, waits for those that run, is made at once, and gives up if they take too long.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from cqrs_local.segments import Segment


class SegmentIndex:
    """The segments of all streams, used in the thread of the event loop alone."""

    def __init__(self, found: dict[int, list[Segment]]) -> None:
        """Args: found: what lies on disk, by stream id."""
        self._by_stream = found
        self._readers = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._gate = asyncio.Lock()

    def of(self, stream_id: int) -> Sequence[Segment]:
        """The segments of a stream, oldest generation first."""
        return self._by_stream.get(stream_id, [])

    def add(self, stream_id: int, segment: Segment) -> None:
        """Take a new segment."""
        self._by_stream.setdefault(stream_id, []).append(segment)

    def drop(self, stream_id: int) -> None:
        """Forget a deleted stream."""
        self._by_stream.pop(stream_id, None)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[None, None]:
        """While this block runs no file is replaced or removed."""
        async with self._gate:
            self._readers += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._idle.set()

    async def replace(
        self, stream_id: int, gone: Sequence[Segment], change: Callable[[], Segment | None], seconds: float
    ) -> bool:
        """Replace segments once no query runs.

        Args:
            stream_id: whose.
            gone: what is replaced or removed.
            change: makes the change on disk, at once; the segment that takes the place, None for none.
            seconds: how long to wait for the queries that run.

        Returns:
            Whether it was done: not if the moment did not come, or a segment is gone already.

        Raises:
            OSError: the change failed; the segments stay listed.
        """
        async with self._gate:
            try:
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
            except TimeoutError:
                return False
            return self._replace(stream_id, gone, change)

    def _replace(self, stream_id: int, gone: Sequence[Segment], change: Callable[[], Segment | None]) -> bool:
        listed = self._by_stream.get(stream_id, [])
        if not all(segment in listed for segment in gone):
            return False
        fresh = change()
        kept = [segment for segment in listed if segment not in gone]
        self._by_stream[stream_id] = sorted(
            [*kept, *([fresh] if fresh is not None else [])], key=lambda segment: segment.generation
        )
        return True
