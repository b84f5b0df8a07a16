"""Counting what instruments and plugins raise: each kind is said once, by the name of whoever brought it."""

import logging
from typing import Final, final

from cqrs.instrumentation import Instrument

logger: Final = logging.getLogger("cqrs")


@final
class HookFailures:
    """Counts the hooks that raised and says each kind once.

    Attributes:
        counts: failures by the name of who failed and hook; a plugin's instrument goes by the plugin's name.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        # By identity: an instrument may be equal to another plugin's, or not hashable at all.
        self._brought: dict[int, tuple[Instrument, str]] = {}

    def brought(self, instrument: Instrument, plugin: str) -> None:
        """Remember whose an instrument is.

        Args:
            instrument: the instrument.
            plugin: the name of the plugin that added it.
        """
        self._brought[id(instrument)] = instrument, plugin

    def add(self, instrument: Instrument, hook: str, error: Exception) -> None:
        """Count one failure of an instrument; the first of its kind is logged.

        Args:
            instrument: whose hook raised.
            hook: its name.
            error: what it raised.
        """
        own = instrument.name or type(instrument).__qualname__
        _, plugin = self._brought.get(id(instrument), (instrument, ""))
        if not plugin:
            self.count(own, hook, error, what="Instrument")
        else:
            self.count(plugin if own == plugin else f"{plugin} ({own})", hook, error)

    def count(self, name: str, hook: str, error: Exception, *, what: str = "Plugin") -> None:
        """Count one failure; the first of its kind is logged.

        Args:
            name: who failed.
            hook: in what.
            error: what was raised.
            what: what it is that has this name.
        """
        seen = self.counts.get((name, hook), 0)
        self.counts[name, hook] = seen + 1
        if not seen:
            logger.error("%s %s failed in %s; dispatches go on without it.", what, name, hook, exc_info=error)
