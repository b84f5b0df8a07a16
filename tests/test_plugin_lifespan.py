import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest

from cqrs.plugin_discovery import gather
from cqrs.plugin_lifespan import start
from cqrs.plugins import LoadedPlugin, Plugin

Step = Callable[[], Any]


async def nothing() -> None: ...


async def raises() -> None:
    raise OSError("port taken")


async def exits() -> None:
    sys.exit(3)


async def hangs() -> None:
    await anyio.sleep_forever()


class Stepping(Plugin):
    """A plugin that does a step when it starts and one when it stops."""

    def __init__(self, name: str, starting: Step = nothing, stopping: Step = nothing) -> None:
        self.name = name  # type: ignore[misc]  # what no checker follows is tried on purpose
        self.stop_timeout = 0.05
        self.steps: list[str] = []
        self._starting, self._stopping = starting, stopping

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Do the steps."""
        await self._starting()
        self.steps.append("started")
        yield
        await self._stopping()
        self.steps.append("stopped")


async def run(*plugins: Plugin) -> tuple[LoadedPlugin, ...]:
    async with AsyncExitStack() as stack:
        return await start(gather(plugins, {}), stack)


@pytest.mark.parametrize(
    ("starting", "reason"),
    [(raises, "OSError: port taken."), (exits, "SystemExit: 3.")],
    ids=["raises", "exits"],
)
async def test_a_plugin_that_cannot_start_is_left_out(
    starting: Step, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once at ERROR with its reason; the others start and stop."""
    bad, good = Stepping("bad", starting), Stepping("good")

    loaded = await run(bad, good)

    assert [plugin.state for plugin in loaded] == ["failed", "active"]
    assert loaded[0].builder is None
    assert good.steps == ["started", "stopped"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert f"plugin bad failed to start: {reason}" in record.getMessage()


@pytest.mark.parametrize(
    ("stopping", "reason"),
    [(raises, "OSError: port taken."), (exits, "SystemExit: 3.")],
    ids=["raises", "exits"],
)
async def test_a_plugin_that_cannot_stop_keeps_no_other_from_stopping(
    stopping: Step, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once at ERROR; the others stop and nothing is raised."""
    first, bad, last = Stepping("first"), Stepping("bad", stopping=stopping), Stepping("last")

    await run(first, bad, last)

    assert [p.steps for p in (first, bad, last)] == [
        ["started", "stopped"],
        ["started"],
        ["started", "stopped"],
    ]
    (record,) = caplog.records
    assert f"plugin bad failed to stop: {reason}" in record.getMessage()


async def test_a_plugin_that_hangs_while_it_stops_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """After its stop timeout it is cancelled and told; the others still get their time."""
    first, bad = Stepping("first"), Stepping("bad", stopping=hangs)

    began = time.monotonic()
    await run(first, bad)

    assert time.monotonic() - began < 2.0
    assert first.steps == ["started", "stopped"]
    assert "plugin bad failed to stop: it was still stopping after 0.05 s." in caplog.text


async def test_plugins_have_their_time_though_the_app_is_cancelled() -> None:
    """An app that is being cancelled still lets a plugin finish within its timeout."""

    async def flush() -> None:
        await anyio.sleep(0.01)

    plugin = Stepping("flushing", stopping=flush)
    plugin.stop_timeout = 5.0
    with anyio.move_on_after(0.01) as scope:
        async with AsyncExitStack() as stack:
            await start(gather((plugin,), {}), stack)
            await anyio.sleep_forever()

    assert scope.cancelled_caught
    assert plugin.steps == ["started", "stopped"]


async def test_plugins_stop_in_reverse_and_idle_ones_are_not_entered() -> None:
    """The last that started stops first; a plugin that failed before has no lifespan."""
    order: list[str] = []

    def noting(name: str) -> Step:
        async def step() -> None:
            order.append(name)

        return step

    failed = Stepping("failed", noting("failed"))
    failed.api = (9, 0)  # type: ignore[misc]  # what no checker follows is tried on purpose
    await run(Stepping("a", stopping=noting("a")), failed, Stepping("b", stopping=noting("b")))

    assert order == ["b", "a"]


async def test_a_plugin_that_is_off_is_one_line_of_information(caplog: pytest.LogCaptureFixture) -> None:
    """Standing down is told at INFO, once, with the reason; never as a warning."""

    class Modest(Plugin):
        name = "modest"

        def configure(self, builder: Any, /) -> Any:
            builder.stand_down("no terminal")

    caplog.set_level(logging.INFO, "cqrs")
    await run(Modest())

    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.INFO, "plugin modest is off: no terminal.")


async def test_a_lifespan_that_cannot_be_made_fails_its_plugin(caplog: pytest.LogCaptureFixture) -> None:
    """A `lifespan` that raises, or gives no context manager, is a plugin that could not start."""

    class Raising(Plugin):
        name = "raising"

        def lifespan(self) -> Any:
            raise OSError("no disk")

    class Junk(Plugin):
        name = "junk"

        def lifespan(self) -> Any:
            return None

    loaded = await run(Raising(), Junk())

    assert [plugin.state for plugin in loaded] == ["failed", "failed"]
    assert len(caplog.records) == 2
