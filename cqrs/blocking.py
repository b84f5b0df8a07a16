"""The buses for code that is not async: scripts, command lines, threads of a web framework."""

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar, cast, final

import anyio
from returns.result import Failure, Result

from cqrs.cache_control import CacheControl
from cqrs.command_bus import CommandBus
from cqrs.container import Container
from cqrs.deliveries import PublishReport
from cqrs.describe import PluginDescription
from cqrs.event_bus import EventBus
from cqrs.faults import AppClosed, BusDisabled, Fault, QueueFull
from cqrs.messages import Command, Event, Query
from cqrs.query_bus import QueryBus

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

Value = TypeVar("Value")
Error = TypeVar("Error")
Answer = TypeVar("Answer")

_MISUSED: Final = (
    "it blocks its thread, and this one runs an event loop, which would stand still. "
    "Fix: await the app's own buses, inside `async with app as bus`."
)


class Buses(Protocol):
    """What an open app has."""

    commands: CommandBus
    queries: QueryBus
    events: EventBus
    container: Container
    plugins: tuple[PluginDescription, ...]


@final
class BlockingApp:
    """``with app.blocking() as bus``: the app runs on an event loop in a thread of its own.

    Args:
        app: opens the app.
    """

    def __init__(self, app: AbstractAsyncContextManager[Buses]) -> None:
        self._app = app
        self._stack: ExitStack | None = None

    def __enter__(self) -> "BlockingBuses":
        """Start the event loop, then the app.

        Raises:
            CompositionError: with everything that keeps the app from starting.
            RuntimeError: in a thread that runs an event loop.
        """
        # Here and not above: it is a tenth of what importing the core costs, and few programs need it.
        from anyio.from_thread import start_blocking_portal

        _refuse_in_an_event_loop("app.blocking()")
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            calls = _Calls(portal)
            stack.callback(calls.close)
            buses = stack.enter_context(portal.wrap_async_context_manager(self._app))
            self._stack = stack.pop_all()
        return BlockingBuses(buses, calls)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the app, then the event loop; what the body raised goes on its way."""
        stack, self._stack = self._stack, None
        if stack is not None:
            stack.__exit__(kind, error, trace)


@final
class BlockingBuses:
    """The buses of a running app, each method waiting for its answer; usable from any thread without an event loop.

    Attributes:
        commands: the command bus.
        queries: the query bus.
        events: the event bus.
        container: the user's container; what it resolves of the buses are the async ones.
    """

    def __init__(self, buses: Buses, calls: "_Calls") -> None:
        self._buses = buses
        self.container: Container = buses.container
        self.commands: BlockingCommandBus = BlockingCommandBus(buses.commands, calls)
        self.queries: BlockingQueryBus = BlockingQueryBus(buses.queries, calls)
        self.events: BlockingEventBus = BlockingEventBus(buses.events, calls)

    @property
    def plugins(self) -> tuple[PluginDescription, ...]:
        """Every plugin that was found, with the state that it has now."""
        return self._buses.plugins


@final
class BlockingCommandBus:
    """The command bus, waiting for its answers."""

    def __init__(self, bus: CommandBus, calls: "_Calls") -> None:
        self._bus = bus
        self._calls = calls

    def execute(self, command: Command[Value, Error], /) -> Result[Value, Error | Fault]:
        """Answer a command as ``CommandBus.execute`` does.

        Args:
            command: the command.
        """
        if self._calls.closed:
            return Failure(AppClosed("command"))
        return self._calls.wait(lambda: self._bus.execute(command))


@final
class BlockingQueryBus:
    """The query bus, waiting for its answers."""

    def __init__(self, bus: QueryBus, calls: "_Calls") -> None:
        self._bus = bus
        self._calls = calls

    def execute(
        self, query: Query[Value, Error], /, *, cache: CacheControl | None = None
    ) -> Result[Value, Error | Fault]:
        """Answer a query as ``QueryBus.execute`` does.

        Args:
            query: the query.
            cache: what is asked of a cache of answers; without one it has no effect.
        """
        if self._calls.closed:
            return Failure(AppClosed("query"))
        return self._calls.wait(lambda: self._bus.execute(query, cache=cache))


@final
class BlockingEventBus:
    """The event bus, waiting for its deliveries."""

    def __init__(self, bus: EventBus, calls: "_Calls") -> None:
        self._bus = bus
        self._calls = calls

    def publish(self, event: Event, /) -> PublishReport:
        """Deliver an event as ``EventBus.publish`` does.

        Args:
            event: the event.
        """
        if self._calls.closed:
            return PublishReport((), AppClosed("event"))
        return self._calls.wait(lambda: self._bus.publish(event))

    def publish_later(self, event: Event, /) -> Result[None, QueueFull | AppClosed | BusDisabled]:
        """Deliver an event in the background as ``EventBus.publish_later`` does.

        Args:
            event: the event.
        """
        if self._calls.closed:
            return Failure(AppClosed("event"))
        return self._calls.wait(lambda: self._bus.publish_later(event))

    def drain(self) -> None:
        """Wait until everything that was published for later has been delivered."""
        if not self._calls.closed:
            self._calls.wait(self._bus.drain)


@final
class _Calls:
    """Calls into the event loop's thread, until they are closed."""

    def __init__(self, portal: "BlockingPortal") -> None:
        self._portal = portal
        self.closed: bool = False

    def close(self) -> None:
        """Take no more."""
        self.closed = True

    def wait(self, call: Callable[[], Coroutine[object, object, Answer]]) -> Answer:
        """Run an async function and wait for what it gives; what interrupts the wait cancels it."""
        _refuse_in_an_event_loop("a bus of app.blocking()")
        outcome: Future[_Outcome[Answer]] = self._portal.start_task_soon(_carried, call)
        try:
            return outcome.result().get()
        except BaseException:
            outcome.cancel()
            raise


@final
class _Outcome(Generic[Answer]):
    def __init__(self, answer: Answer | None, stop: BaseException | None = None) -> None:
        self._answer = answer
        self._stop = stop

    def get(self) -> Answer:
        if self._stop is not None:
            raise self._stop
        return cast("Answer", self._answer)


async def _carried(call: Callable[[], Coroutine[object, object, Answer]]) -> _Outcome[Answer]:
    try:
        return _Outcome(await call())
    except (KeyboardInterrupt, SystemExit) as stop:  # raised in a task they would tear the event loop down
        return _Outcome(None, stop)


def _refuse_in_an_event_loop(what: str) -> None:
    try:
        anyio.get_current_task()
    except RuntimeError:
        return
    raise RuntimeError(f"{what} was used in async code: {_MISUSED}")
