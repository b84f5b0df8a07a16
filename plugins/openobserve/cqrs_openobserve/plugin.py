"""Joins the app: reads the settings, adds the instrument, stops the pipeline with the app."""

import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, ClassVar, final

import anyio
import anyio.to_thread
import attrs
from returns.result import Failure, Result, Success

from cqrs.clock import Clock
from cqrs.plugins import Plugin, PluginBuilder
from cqrs.problems import Problem
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.credentials import Credentials
from cqrs_openobserve.notices import logger
from cqrs_openobserve.observers import Observers
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.settings import Settings
from cqrs_openobserve.telemetry import Telemetry

if TYPE_CHECKING:
    from cqrs_openobserve.client import Client


@final
class OpenObserve(Plugin):
    """Sends a record of every dispatch, metrics and sampled spans to OpenObserve.

    Args:
        given: fields of ``Settings`` that win over the environment, as values or texts:
            ``OpenObserve(url="http://localhost:5080", token="user:secret", batch_size=50)``.
    """

    name: ClassVar[str] = "openobserve"
    settings: ClassVar[type[attrs.AttrsInstance] | None] = Settings

    def __init__(self, **given: object) -> None:
        self.given: Mapping[str, object] = given
        self._pipeline: Pipeline | None = None
        self._observers: Observers | None = None

    def __repr__(self) -> str:
        return f"OpenObserve({', '.join(sorted(self.given))})"

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Add the instrument and ``Telemetry``, or say everything that is wrong with the settings."""
        found = read(builder.env, self.given)
        if isinstance(found, Failure):
            return Failure(found.failure())
        configuration = found.unwrap()
        builder.loaded += (configuration.settings,)
        off = _off(configuration.settings)
        if off:
            builder.stand_down(off)
            return Success(None)
        for warning in (*configuration.warnings, *surroundings()):
            logger.warning("%s", warning)
        self.stop_timeout = configuration.settings.exit_timeout / 1000 + 0.5
        pipeline = pipeline_of(configuration)
        self._observers = Observers(configuration, pipeline)
        self._pipeline = pipeline
        builder.instrument(self._observers.instrument)
        if configuration.settings.metrics_enabled:
            builder.instrument(self._observers.letters)
        builder.register(Telemetry, Telemetry(pipeline))
        return Success(None)

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """See what happens while the app runs; then stop the pipeline, on a thread of its own."""
        if self._observers is None or self._pipeline is None:
            return nullcontext()
        return _watching(self._observers, self._pipeline)

    def health(self) -> Result[str, str]:
        """Say what the books tell; a failure if the server takes nothing, or if records were lost."""
        if self._pipeline is None:
            return Success("off")
        found = self._pipeline.health()
        return Success(str(found)) if found.ok else Failure(str(found))


def plugin() -> OpenObserve:
    """Make the plugin with the environment's settings; the entry point."""
    return OpenObserve()


def surroundings() -> tuple[str, ...]:
    """Say what is unusual about the interpreter that the pipeline's threads run in."""
    said: list[str] = []
    for library, asked in (("gevent.monkey", "is_module_patched"), ("eventlet.patcher", "is_monkey_patched")):
        patched: Callable[[str], bool] | None = getattr(sys.modules.get(library), asked, None)
        if patched is not None and patched("threading"):
            name = library.partition(".")[0]
            said.append(f"Threads are replaced by {name}: a request of telemetry may hold up the app.")
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        said.append(
            "This is a free-threaded Python, on which telemetry is not tested: its counts may be off."
        )
    return tuple(said)


def pipeline_of(configuration: Configuration, clock: Clock | None = None) -> Pipeline:
    """Make the pipeline to the configured server; nothing is opened before the first observation."""
    return Pipeline(configuration, lambda: client_of(configuration, configuration.credentials), clock)


def client_of(configuration: Configuration, credentials: Credentials) -> "Client":
    """Make a client of the configured server.

    Args:
        configuration: the server and how to reach it.
        credentials: the configuration's ``credentials`` or ``admin``.
    """
    # Here and not above: a program in which the plugin is off does not load an HTTP library.
    from cqrs_openobserve.client import Client
    from cqrs_openobserve.tls import tls_context

    settings = configuration.settings
    return Client(
        configuration.endpoint,
        configuration.organization,
        credentials,
        timeout_s=settings.timeout / 1000,
        tls=lambda: tls_context(settings.ca_file, insecure=settings.insecure_tls),
        proxy=settings.proxy,
        allow_link_local=settings.allow_link_local,
    )


def _off(settings: Settings) -> str:
    if not settings.enabled:
        return "OPENOBSERVE_ENABLED is off"
    if not (settings.logs_enabled or settings.metrics_enabled or settings.tracing_enabled):
        return "OPENOBSERVE_LOGS_ENABLED, OPENOBSERVE_METRICS_ENABLED and OPENOBSERVE_TRACING_ENABLED are off"
    return ""


@asynccontextmanager
async def _watching(observers: Observers, pipeline: Pipeline) -> AsyncGenerator[None]:
    try:
        observers.start()
        async with anyio.create_task_group() as group:
            group.start_soon(observers.lag.watch)
            group.start_soon(observers.letters.watch)
            yield
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await observers.letters.read()
            observers.stop()
            await anyio.to_thread.run_sync(pipeline.stop)
            observers.close()
