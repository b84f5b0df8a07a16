"""What is said about the cache: each thing at most once a minute, on the logger ``cqrs``."""

import logging
from typing import Final, final

from cqrs.clock import Clock

logger: Final = logging.getLogger("cqrs")
_MINUTE: Final = 60.0


@final
class Notices:
    """Says things, but not again and again.

    Args:
        clock: tells how long ago something was said.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: dict[str, float] = {}

    def warn(self, about: str, text: str, *values: object, once: bool = False) -> None:
        """Log a warning, unless something about the same thing was said within the last minute.

        Args:
            about: the thing.
            text: the message, as ``logging`` formats it.
            values: what is put into it.
            once: whether it is said once only.
        """
        now = self._clock.monotonic_ns() / 1e9
        last = self._said.get(about)
        if last is not None and (once or now - last < _MINUTE):
            return
        self._said[about] = now
        logger.warning(text, *values)
