"""A plugin that does all that another one does, and fails at a stage."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, Literal

import anyio
import anyio.lowlevel
from returns.result import Failure, Result

from cqrs.plugins import Plugin, PluginBuilder
from cqrs.problems import Code, Problem

Fails = Literal["configure raises", "configure refuses", "start raises", "run raises", "stop raises"]

STAGES: Final[tuple[Fails, ...]] = (
    "configure raises",
    "configure refuses",
    "start raises",
    "run raises",
    "stop raises",
)
_MOST_ROUNDS: Final = 1000


class FailingPlugin(Plugin):
    """Does all that another plugin does, and fails at a stage; made by ``failing``.

    Args:
        inner: the other plugin.
        fails: at what.

    Attributes:
        registered: the services that it registered.
    """

    def __init__(self, inner: Plugin, fails: Fails) -> None:
        self.inner = inner
        self.fails = fails
        self.registered: list[type] = []
        self.crash: anyio.Event = anyio.Event()
        self.given: Mapping[str, object] = inner.given
        self.start_timeout: float = inner.start_timeout
        self.stop_timeout: float = inner.stop_timeout

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Configure, and fail if that is what is to fail."""
        answer = self.inner.configure(builder)
        self.registered.extend(builder.services)
        if self.fails == "configure raises":
            raise RuntimeError("made to fail by a law")
        if self.fails == "configure refuses":
            return Failure((Problem(Code.PLUGIN_FAILED, "made to fail by a law.", "none."),))
        return answer

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Run, and fail if that is what is to fail."""
        async with self.inner.lifespan():
            if self.fails == "start raises":
                raise RuntimeError("made to fail by a law")
            async with anyio.create_task_group() as group:
                group.start_soon(self._crashing)
                yield
                group.cancel_scope.cancel()
        if self.fails == "stop raises":
            raise RuntimeError("made to fail by a law")

    async def break_down(self, state: Callable[[], str]) -> None:
        """Let the background work raise, and wait until the app has heard of it.

        Args:
            state: gives the plugin's.
        """
        self.crash.set()
        for _ in range(_MOST_ROUNDS):
            if state() != "active":
                return
            await anyio.lowlevel.checkpoint()

    async def _crashing(self) -> None:
        await self.crash.wait()
        raise RuntimeError("made to fail by a law")


def failing(plugin: Plugin, fails: Fails) -> FailingPlugin:
    """Make a plugin that does all that another one does, and fails at a stage.

    Args:
        plugin: the other one.
        fails: at what.
    """
    # What the core asks of a class stands on a class.
    said = {name: getattr(plugin, name) for name in ("name", "api", "requires", "after", "settings")}
    cls: type[FailingPlugin] = type("Failing", (FailingPlugin,), said)
    return cls(plugin, fails)
