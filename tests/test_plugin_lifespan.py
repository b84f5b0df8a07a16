import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest
from returns.result import Failure, Success

from cqrs import plugin_lifespan
from cqrs.plugin_discovery import gather
from cqrs.plugin_lifespan import Supervisor
from cqrs.plugins import LoadedPlugin, Plugin, PluginHealth

Step = Callable[[], Any]


def eager_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]  # since Python 3.12
    return loop


LOOPS: dict[str, Any] = {"plain": {}, "debug": {"debug": True}}
if sys.version_info >= (3, 12):
    LOOPS["eager"] = {"loop_factory": eager_loop}


@pytest.fixture(params=LOOPS.values(), ids=LOOPS.keys())
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Every way in which asyncio runs tasks; trio is in tests/integrations."""
    return ("asyncio", request.param)


async def nothing() -> None: ...


async def raises() -> None:
    raise OSError("port taken")


async def exits() -> None:
    sys.exit(3)


async def hangs() -> None:
    await anyio.sleep_forever()


@pytest.fixture(autouse=True)
def _slow_machine(caplog: pytest.LogCaptureFixture) -> None:
    """In debug mode asyncio warns of slow callbacks, which a loaded machine has."""
    caplog.set_level(logging.ERROR, "asyncio")


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


def supervising(*plugins: Plugin) -> Supervisor:
    return Supervisor(gather(plugins, {}), lambda: None)


async def run(*plugins: Plugin) -> tuple[LoadedPlugin, ...]:
    supervisor = supervising(*plugins)
    async with AsyncExitStack() as stack:
        await supervisor.start(stack)
    return supervisor.plugins


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
    assert "plugin bad failed to stop: it was still stopping after 0.05 s, its stop_timeout." in caplog.text


async def test_plugins_have_their_time_though_the_app_is_cancelled() -> None:
    """An app that is being cancelled still lets a plugin finish within its timeout."""

    async def flush() -> None:
        await anyio.sleep(0.01)

    plugin = Stepping("flushing", stopping=flush)
    plugin.stop_timeout = 5.0
    with anyio.move_on_after(0.01) as scope:
        async with AsyncExitStack() as stack:
            await supervising(plugin).start(stack)
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


class Working(Plugin):
    """A plugin with background work in a task group of its lifespan."""

    def __init__(self, name: str, work: Step, requires: tuple[str, ...] = ()) -> None:
        self.name = name  # type: ignore[misc]  # one class for plugins of several names
        self.requires = requires  # type: ignore[misc]  # one class for plugins of several names
        self.stopped = anyio.Event()
        self._work = work

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Work until the app stops."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._work)
                yield
                group.cancel_scope.cancel()
        finally:
            self.stopped.set()


async def crash_later() -> None:
    await anyio.sleep(0.01)
    raise OSError("connection lost")


async def test_background_work_that_crashes_ends_its_plugin_alone(caplog: pytest.LogCaptureFixture) -> None:
    """The plugin is failed at once, told with its traceback; nothing of the app is cancelled, others run on."""
    lost = anyio.Event()
    good = Working("good", anyio.sleep_forever)
    supervisor = Supervisor(gather((Working("bad", crash_later), good), {}), lost.set)

    async with AsyncExitStack() as stack:
        await supervisor.start(stack)
        assert [plugin.state for plugin in supervisor.plugins] == ["active", "active"]
        await lost.wait()
        assert [plugin.state for plugin in supervisor.plugins] == ["failed", "active"]
        assert not good.stopped.is_set()

    (record,) = caplog.records
    assert record.getMessage().startswith("plugin bad failed to run: OSError: connection lost.")
    assert record.exc_info is not None
    assert supervisor.plugins[0].builder is None


async def test_a_lifespan_that_ends_by_itself_ends_its_plugin(caplog: pytest.LogCaptureFixture) -> None:
    """A task group that is cancelled from inside leaves the plugin without its background work: it is failed."""
    lost = anyio.Event()

    class Leaving(Plugin):
        name = "leaving"

        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            with anyio.move_on_after(0.01):
                yield

    supervisor = Supervisor(gather((Leaving(),), {}), lost.set)
    async with AsyncExitStack() as stack:
        await supervisor.start(stack)
        await lost.wait()

    assert supervisor.plugins[0].reason == "its lifespan ended by itself."
    assert len(caplog.records) == 1


async def test_a_plugin_ends_with_one_that_it_needs(caplog: pytest.LogCaptureFixture) -> None:
    """Who requires a plugin that crashed is stopped in order and failed; nobody is told twice."""
    lost = anyio.Event()
    needing = Working("needing", anyio.sleep_forever, requires=("bad",))
    supervisor = Supervisor(gather((Working("bad", crash_later), needing), {}), lost.set)

    async with AsyncExitStack() as stack:
        await supervisor.start(stack)
        await lost.wait()
        await needing.stopped.wait()

    assert [plugin.state for plugin in supervisor.plugins] == ["failed", "failed"]
    assert (
        supervisor.plugins[1].reason == "it needs the plugin bad, which is failed: OSError: connection lost."
    )
    assert len(caplog.records) == 2


async def test_a_plugin_whose_need_cannot_start_is_not_started() -> None:
    """It fails with the reason, and its lifespan is not entered."""
    needing = Working("needing", anyio.sleep_forever, requires=("bad",))

    _, plugin = await run(Stepping("bad", raises), needing)

    assert plugin.reason == "it needs the plugin bad, which is failed: OSError: port taken."
    assert not needing.stopped.is_set()


async def test_a_plugin_that_hangs_while_it_starts_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """After its start timeout it is cancelled, told and left out; the others start."""
    bad, good = Stepping("bad", hangs), Stepping("good")
    bad.start_timeout = 0.05

    loaded = await run(bad, good)

    assert [plugin.state for plugin in loaded] == ["failed", "active"]
    assert loaded[0].reason == "it was still starting after 0.05 s, its start_timeout."
    assert len(caplog.records) == 1


async def test_a_plugin_that_refuses_to_end_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that swallows its cancellation holds nobody up for longer than its timeout and a moment of grace."""
    monkeypatch.setattr(plugin_lifespan, "GRACE_SECONDS", 0.05)
    released = anyio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except BaseException:  # noqa: BLE001 - what a stubborn plugin does
                continue

    first, bad = Stepping("first"), Stepping("bad", stopping=stubborn)
    with anyio.fail_after(15):
        await run(first, bad)

    assert first.steps == ["started", "stopped"]
    assert "plugin bad failed to stop: it was still stopping after 0.05 s, its stop_timeout." in caplog.text
    released.set()
    await anyio.sleep(0.01)


async def test_an_app_may_be_left_in_another_task() -> None:
    """Entered in one task and left in another, as fixtures of tests do: plugins start and stop as ever."""
    plugin = Stepping("plugin")
    stack = AsyncExitStack()
    supervisor = supervising(plugin)

    await asyncio.get_running_loop().create_task(supervisor.start(stack))
    await asyncio.get_running_loop().create_task(stack.aclose())

    assert plugin.steps == ["started", "stopped"]


async def test_a_start_that_is_cancelled_gives_its_plugin_up() -> None:
    """A plugin that was just starting is cancelled with the app, not left running."""
    plugin = Stepping("slow", hangs)
    plugin.start_timeout = 60.0
    ended: list[str] = []

    async def enter() -> None:
        async with AsyncExitStack() as stack:
            await supervising(plugin).start(stack)

    task = asyncio.ensure_future(enter())
    await anyio.sleep(0.01)
    others = asyncio.all_tasks() - {task, asyncio.current_task()}
    for other in others:
        other.add_done_callback(lambda _task: ended.append("plugin"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)

    assert ended == ["plugin"]


@pytest.mark.parametrize(
    ("health", "ok", "text"),
    [
        (lambda: Success("3 sent"), True, "3 sent"),
        (lambda: Failure("no server"), False, "no server"),
        (lambda: 1 / 0, False, "ZeroDivisionError: division by zero"),
        (lambda: sys.exit(3), False, "SystemExit: 3"),
        (lambda: None, False, "its health is a NoneType, not a Result"),
    ],
    ids=["well", "ill", "raises", "exits", "nothing"],
)
async def test_a_plugin_says_how_it_is(health: Step, ok: bool, text: str) -> None:  # noqa: FBT001 - a table
    """Whatever a plugin's health does or answers, it is a line about that plugin."""
    plugin = Stepping("plugin")
    plugin.health = health  # type: ignore[method-assign]  # each case its own
    supervisor = supervising(plugin)

    async with AsyncExitStack() as stack:
        await supervisor.start(stack)
        assert supervisor.health() == (PluginHealth("plugin", ok, text),)


async def test_the_health_of_what_does_not_run_is_its_state() -> None:
    """A failed plugin is not well and says why; one that is off is nothing to worry about."""

    class Modest(Plugin):
        name = "modest"

        def configure(self, builder: Any, /) -> Any:
            builder.stand_down("no terminal")

    supervisor = supervising(Modest(), Stepping("bad", raises), Plugin())
    async with AsyncExitStack() as stack:
        await supervisor.start(stack)

    assert [(each.ok, each.text) for each in supervisor.health()] == [
        (True, "off: no terminal"),
        (False, "failed: OSError: port taken."),
        (True, "running"),
    ]
