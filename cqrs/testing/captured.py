"""What an app did while a test ran, as lists: for the fixtures of the pytest plugin, and for use without it."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, final

from cqrs.hook_details import DeadLetteredDetails, DeliveredDetails, PublishDetails, RetriedDetails
from cqrs.testing.doubles import Observation, RecordingInstrument

LOGGER: Final = "cqrs"


@final
class Captured:
    """What the apps that were composed with ``instrument`` did, and what the core logged meanwhile.

    Attributes:
        instrument: for ``for_root(instruments=[captured.instrument])``; ``cqrs_app`` adds it by itself.
        logs: what was logged on the logger ``cqrs``.
    """

    def __init__(self) -> None:
        self.instrument: RecordingInstrument = RecordingInstrument()
        self.logs: list[logging.LogRecord] = []

    @property
    def observations(self) -> list[Observation]:
        """Each dispatch and delivery that has ended."""
        return self.instrument.observations

    @property
    def events(self) -> list[object]:
        """Each event that reached a subscriber, once, in the order of their publishing."""
        return self.instrument.events

    @property
    def publishes(self) -> list[PublishDetails]:
        """Each publish, also of events that nobody heard."""
        return self.instrument.publishes

    @property
    def deliveries(self) -> list[DeliveredDetails]:
        """Each delivery with its attempts."""
        return self.instrument.deliveries

    @property
    def retries(self) -> list[RetriedDetails]:
        """Each attempt that was begun again."""
        return self.instrument.retries

    @property
    def dead_letters(self) -> list[DeadLetteredDetails]:
        """Each delivery that was given up."""
        return self.instrument.dead_letters


@contextmanager
def capturing() -> Generator[Captured]:
    """Capture what happens in a ``with`` block."""
    captured, logger = Captured(), logging.getLogger(LOGGER)
    handler = _Keeping(captured.logs)
    logger.addHandler(handler)
    try:
        yield captured
    finally:
        logger.removeHandler(handler)


@final
class _Keeping(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._records.append(record)
