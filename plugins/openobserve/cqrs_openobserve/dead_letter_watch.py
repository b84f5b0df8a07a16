"""How many dead letters wait and how old the oldest is, read at intervals on the app's event loop."""

from collections.abc import Iterator
from typing import Final, final

import anyio
from returns.result import Success

from cqrs.clock import Clock, SystemClock
from cqrs.dead_letter import DeadLetterQueue
from cqrs.instrumentation import AppDetails, Instrument
from cqrs_openobserve.metric_catalogue import DEAD_LETTER_AGE, DEAD_LETTER_DEPTH
from cqrs_openobserve.metric_cells import Reading
from cqrs_openobserve.notices import logger

_UNTIL_OPEN_S: Final = 0.5


@final
class DeadLetterWatch(Instrument):
    """Hears which queue the app has, and reads it.

    Args:
        seconds: how often.
        clock: tells the time.
    """

    name = "openobserve"

    def __init__(self, seconds: float, clock: Clock | None = None) -> None:
        self._seconds = seconds
        self._clock = clock or SystemClock()
        self._queue: DeadLetterQueue | None = None
        self._found: tuple[int, float] | None = None

    def app_started(self, details: AppDetails, /) -> None:
        """Take note of the app's queue."""
        self._queue = details.dead_letters

    async def watch(self) -> None:
        """Read for as long as it is not cancelled."""
        while True:
            await self.read()
            await anyio.sleep(_UNTIL_OPEN_S if self._queue is None else self._seconds)

    async def read(self) -> None:
        """Read now; a queue that cannot be read gives no reading until it can, and one that raises none any more."""
        queue, self._found = self._queue, None
        if queue is None:
            return
        try:
            count, age = await queue.count(), await queue.oldest_age(self._clock.time_ns())
        except Exception:  # noqa: BLE001  # a queue of the user's: telemetry goes on without this
            logger.exception("The dead-letter queue cannot be measured.")
            self._queue = None
            return
        if isinstance(count, Success) and isinstance(age, Success):
            self._found = count.unwrap(), age.unwrap()

    def readings(self) -> Iterator[Reading]:
        """Give what was read last."""
        if self._found is not None:
            depth, age = self._found
            yield DEAD_LETTER_DEPTH, float(depth), ()
            yield DEAD_LETTER_AGE, age, ()
