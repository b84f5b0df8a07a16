"""Running plugins: each in a task of its own, so that none of them holds up, breaks or ends the app."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Final, cast, final

import anyio
from returns.result import Failure, Success

from cqrs.messages import AnyResult
from cqrs.plugin_configuration import told
from cqrs.plugin_order import unmet
from cqrs.plugins import LoadedPlugin, Plugin, PluginHealth, Stage

logger: Final = logging.getLogger("cqrs")

# How long a plugin may take to end once it has been cancelled.
GRACE_SECONDS: Final = 0.5

# Runs an async function in a task of its own.
_Spawn = Callable[[Callable[[], Coroutine[object, object, None]]], object]


@final
class Supervisor:
    """Starts, watches and stops the plugins of one app.

    Args:
        plugins: as they were configured, in the order in which they start.
        lost: called when a running plugin has failed.

    Attributes:
        plugins: each with the state that it has now.
    """

    def __init__(self, plugins: Sequence[LoadedPlugin], lost: Callable[[], None]) -> None:
        self.plugins: tuple[LoadedPlugin, ...] = tuple(plugins)
        self._lost = lost
        self._lifespans: dict[int, _Lifespan] = {}
        self._spawn: _Spawn | None = None

    async def start(self, stack: AsyncExitStack) -> None:
        """Enter each active plugin's lifespan; those that fail are reported and left out.

        Args:
            stack: leaves the lifespans again, last entered first, each within its plugin's ``stop_timeout``.
        """
        for place, plugin in enumerate(self.plugins):
            if plugin.state == "active":
                await self._start(place, stack)
            elif plugin.problem is not None:
                logger.error("%s", plugin.problem)
            elif plugin.state == "off":
                logger.info("plugin %s is off: %s.", plugin.name, plugin.reason)

    def health(self) -> tuple[PluginHealth, ...]:
        """Ask every plugin how it is."""
        return tuple(_health(plugin) for plugin in self.plugins)

    async def _start(self, place: int, stack: AsyncExitStack) -> None:
        loaded = self.plugins[place]
        if missing := unmet(loaded, self.plugins):
            self._fail(place, "start", missing)
            return
        if loaded.plugin is None or type(loaded.plugin).lifespan is Plugin.lifespan:
            return  # nothing to run
        self._spawn = self._spawn or await _spawner(stack)
        lifespan = _Lifespan(loaded.plugin, self._spawn, lambda error: self._ended(place, error))
        self._lifespans[place] = lifespan
        stack.push_async_callback(self._stop, place)
        if reason := await lifespan.start():
            self._fail(place, "start", reason)

    async def _stop(self, place: int) -> None:
        lifespan = self._lifespans.pop(place)
        reason = await lifespan.stop()
        if reason and self.plugins[place].state == "active":
            plugin = self.plugins[place]
            logger.error("%s", plugin.failed("stop", reason, f"report it to {_author(plugin)}.").problem)

    def _ended(self, place: int, error: BaseException | None) -> None:
        """Hear of a lifespan that ended though nobody asked it to."""
        reason = "its lifespan ended by itself." if error is None else f"{told(_innermost(error))}."
        self._fail(place, "run", reason, error)
        for other, plugin in enumerate(self.plugins):
            if plugin.state == "active" and (missing := unmet(plugin, self.plugins)):
                if other in self._lifespans:
                    self._lifespans[other].leave()
                self._fail(other, "run", missing)
        self._lost()

    def _fail(self, place: int, stage: Stage, reason: str, error: BaseException | None = None) -> None:
        plugin = self.plugins[place]
        hint = f"report it to {_author(plugin)}, or set CQRS_PLUGINS_DISABLED={plugin.name}."
        failed = plugin.failed(stage, reason, hint)
        self.plugins = (*self.plugins[:place], failed, *self.plugins[place + 1 :])
        logger.error("%s", failed.problem, exc_info=error)


@final
class _Lifespan:
    """One plugin's lifespan in a task of its own; ``ended`` hears of it if that ends before it is told to."""

    def __init__(self, plugin: Plugin, spawn: _Spawn, ended: Callable[[BaseException | None], None]) -> None:
        self._plugin = plugin
        self._spawn = spawn
        self._tell = ended
        # Shielded: where it runs in a task group, that may be cancelled with the app, and it still has its time.
        self._scope = anyio.CancelScope(shield=True)
        self._moved, self._leave, self._ended = anyio.Event(), anyio.Event(), anyio.Event()
        self._entered = False
        self._error: BaseException | None = None

    async def start(self) -> str:
        """Enter it.

        Returns:
            Why it could not be entered, or nothing.
        """
        seconds = self._plugin.start_timeout
        self._spawn(self._run)
        with anyio.move_on_after(seconds):
            await self._moved.wait()
        if self._entered:
            return ""
        if self._ended.is_set():
            return "" if self._error is None else f"{told(self._error)}."
        await self._give_up()
        return f"it was still starting after {seconds:g} s, its start_timeout."

    async def stop(self) -> str:
        """Leave it, also while the app is being cancelled.

        Returns:
            What was wrong with that, or nothing.
        """
        if not self._entered:
            await self._give_up()
            return ""
        asked = self._leave.is_set() or not self._ended.is_set()
        self.leave()
        seconds = self._plugin.stop_timeout
        # Shielded: an app that is being cancelled still gives its plugins their time, and no more.
        with anyio.move_on_after(seconds, shield=True):
            await self._ended.wait()
        if not self._ended.is_set():
            await self._give_up()
            return f"it was still stopping after {seconds:g} s, its stop_timeout."
        return f"{told(self._error)}." if asked and self._error is not None else ""

    def leave(self) -> None:
        """Ask it to end."""
        self._leave.set()

    async def _give_up(self) -> None:
        self._leave.set()
        self._scope.cancel()
        with anyio.move_on_after(GRACE_SECONDS, shield=True):
            await self._ended.wait()

    async def _run(self) -> None:
        try:
            with self._scope:
                async with self._plugin.lifespan():
                    self._entered = True
                    self._moved.set()
                    await self._leave.wait()
        except (Exception, SystemExit) as error:  # whatever it raises is its own failure, not the app's
            self._error = error
        finally:
            self._ended.set()
            self._moved.set()
        if self._entered and not self._leave.is_set():
            self._tell(self._error)


async def _spawner(stack: AsyncExitStack) -> _Spawn:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # trio, where a task belongs to a task group
        group = await stack.enter_async_context(anyio.create_task_group())
        return group.start_soon
    running: set[asyncio.Task[None]] = set()

    def spawn(run: Callable[[], Coroutine[object, object, None]]) -> None:
        # No task group: an app may be entered in one task and left in another, as fixtures of tests do.
        task = loop.create_task(run())
        running.add(task)
        task.add_done_callback(running.discard)

    return spawn


def _health(loaded: LoadedPlugin) -> PluginHealth:
    if loaded.state != "active" or loaded.plugin is None:
        return PluginHealth(loaded.name, loaded.state != "failed", f"{loaded.state}: {loaded.reason}")
    try:
        answer: object = loaded.plugin.health()
    except (Exception, SystemExit) as error:  # told as its state, which it is
        return PluginHealth(loaded.name, ok=False, text=told(error))
    if isinstance(answer, Success):
        return PluginHealth(loaded.name, ok=True, text=str(cast("AnyResult", answer).unwrap()))
    if isinstance(answer, Failure):
        return PluginHealth(loaded.name, ok=False, text=str(cast("AnyResult", answer).failure()))
    return PluginHealth(
        loaded.name, ok=False, text=f"its health is a {type(answer).__qualname__}, not a Result"
    )


def _author(plugin: LoadedPlugin) -> str:
    return plugin.distribution or "its author"


def _innermost(error: BaseException) -> BaseException:
    # A task group wraps what its tasks raise.
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    return _innermost(group.exceptions[0]) if len(group.exceptions) == 1 else group
