"""What the app's own code may ask of telemetry: the books, and to wait for delivery."""

from typing import final

import anyio.to_thread

from cqrs_openobserve.health import Health
from cqrs_openobserve.ledger import FlushReport, SignalLedger
from cqrs_openobserve.payloads import Signal
from cqrs_openobserve.pipeline import Pipeline


@final
class Telemetry:
    """Injectable: ``app.container.resolve(Telemetry)``.

    Args:
        pipeline: what carries the records.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def ledger(self, signal: Signal = "logs") -> SignalLedger:
        """Read the books: how many records were accepted, delivered, are waiting, were dropped and why.

        Args:
            signal: ``logs``, ``metrics`` or ``traces``.
        """
        return self._pipeline.ledger(signal)

    def health(self) -> Health:
        """Say how it is: what every signal's books tell, what goes wrong, and how far the server's clock is off."""
        return self._pipeline.health()

    def flush(self, timeout: float = 5.0) -> FlushReport:
        """Send what waits and wait for it; blocks, so not for an event loop.

        Args:
            timeout: how long at most, in seconds.
        """
        return self._pipeline.flush(timeout)

    async def aflush(self, timeout: float = 5.0) -> FlushReport:  # noqa: ASYNC109  # it goes to another thread
        """Send what waits and wait for it.

        Args:
            timeout: how long at most, in seconds.
        """
        return await anyio.to_thread.run_sync(self._pipeline.flush, timeout, abandon_on_cancel=True)
