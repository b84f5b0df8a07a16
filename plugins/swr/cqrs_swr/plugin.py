"""Joins the app: reads the settings, puts the cache around queries and invalidation around commands and events."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, final

import attrs
from returns.result import Failure, Result, Success

from cqrs.caching import CacheStore, QueryCache
from cqrs.clock import Clock
from cqrs.plugins import Plugin, PluginBuilder
from cqrs.problems import Code, Problem
from cqrs_swr.directory import NETWORK_FILESYSTEMS, ON_A_NETWORK, filesystem_of, refusal
from cqrs_swr.notices import logger
from cqrs_swr.running import Running
from cqrs_swr.settings import Settings
from cqrs_swr.shared_rows import this_machine
from cqrs_swr.state import MakeStore, State


@final
class Swr(Plugin):
    """Caches the answers of queries that have a policy.

    Args:
        store: where processes share answers; what the settings say if not given.
        clock: replaces the machine's clocks.
        given: fields of ``Settings`` that win over the environment: ``Swr(ttl=30, dir="/var/cache/orders")``.
    """

    name: ClassVar[str] = "swr"
    stop_timeout: float = 2.0  # half a second for what is computed, one for what is written
    settings: ClassVar[type[attrs.AttrsInstance] | None] = Settings

    def __init__(
        self, *, store: CacheStore | None = None, clock: Clock | None = None, **given: object
    ) -> None:
        self.given: Mapping[str, object] = given
        self._store = store
        self._clock = clock
        self._running: Running | None = None

    def __repr__(self) -> str:
        return f"Swr({', '.join(sorted(self.given))})"

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Hang the cache and the invalidations into the pipelines, or say what is wrong with the settings."""
        loaded = builder.load(Settings)
        if isinstance(loaded, Failure):
            return Failure(loaded.failure())
        settings = loaded.unwrap()
        if not settings.enabled:
            builder.stand_down("CQRS_SWR_ENABLED is off")
            return Success(None)
        refused = _refused(settings)
        if refused is not None:
            return Failure((refused,))
        _warn_of_networks(settings)
        state = State(settings, self._make_store(settings), clock=self._clock, machine=this_machine())
        running = self._running = Running(state, builder.refreshed)
        builder.wrap_queries(running.caching, slot="cache")
        builder.wrap_commands(running.invalidating, slot="invalidation")
        builder.wrap_events(running.invalidating, slot="invalidation")
        builder.register(QueryCache, running.cache)
        return Success(None)

    def _make_store(self, settings: Settings) -> MakeStore | None:
        given, folder = self._store, settings.dir
        if given is not None:
            return lambda _clock, _counters, _notices: given
        if folder is None:
            return None
        # Here and not above: a program that shares nothing loads no database.
        from cqrs_swr.shared_store import SharedStore

        return lambda clock, counters, notices: SharedStore(
            folder, settings.size_limit, clock, counters, notices
        )

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """Own the computations while the app runs."""
        assert self._running is not None  # noqa: S101 - the app enters only what it has configured
        return self._running.lifespan()


def _warn_of_networks(settings: Settings) -> None:
    kind = "" if settings.dir is None else filesystem_of(settings.dir)
    if kind in NETWORK_FILESYSTEMS:
        logger.warning(ON_A_NETWORK, f"CQRS_SWR_DIR: {settings.dir}", kind)


def _refused(settings: Settings) -> Problem | None:
    reason = None if settings.dir is None else refusal(settings.dir)
    if reason is None:
        return None
    fix = "name a folder of this user's own, or one that is not there yet: it is made."
    return Problem(Code.BAD_SETTING, f"CQRS_SWR_DIR={str(settings.dir)!r} {reason}.", fix)


def plugin() -> Swr:
    """Make the plugin with the environment's settings; the entry point."""
    return Swr()
