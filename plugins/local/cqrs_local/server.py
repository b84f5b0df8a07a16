"""The local server as an object: an ASGI application, and a real socket in front of it."""

import asyncio
import contextlib
import socket
from base64 import b64encode
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvicorn

from cqrs.clock import Clock
from cqrs_local.alert_schedule import Schedule
from cqrs_local.asgi import App
from cqrs_local.backend import Backend, Place
from cqrs_local.credentials import load_or_make
from cqrs_local.directory import DataDirectory, DirectoryError
from cqrs_local.documents import Documents
from cqrs_local.emulation import Emulation
from cqrs_local.engine import Engine
from cqrs_local.limits import Limits
from cqrs_local.listener import bind
from cqrs_local.store import Store
from cqrs_local.store_settings import StoreSettings
from cqrs_local.upkeep import Upkeep

DEFAULT_ORGANIZATION: Final = "default"
_STOP_SECONDS: Final = 1


class LocalServer:
    """An embedded server: open it, use `app` or listen on a socket, close it.

    Attributes:
        app: the ASGI application, for `httpx.ASGITransport(server.app)`.
        directory: where the data lies.
        organization: the organisation that is there from the start.
    """

    def __init__(
        self,
        directory: Path,
        *,
        organization: str = DEFAULT_ORGANIZATION,
        limits: Limits | None = None,
        settings: StoreSettings | None = None,
        clock: Clock | None = None,
        emulation: Emulation = Emulation.NEWEST,
    ) -> None:
        """Nothing is touched until `open`.

        Args:
            directory: the data directory, made if need be.
            organization: made at the first start.
            limits: what requests and queries may cost.
            settings: how the store works.
            clock: tells the time; tests hand in their own.
            emulation: which version of the real server it answers as.
        """
        self.app = App()
        self.directory = directory
        self.organization = organization
        self._limits = limits if limits is not None else Limits()
        self._settings = settings if settings is not None else StoreSettings()
        self._clock = clock
        self._held: DataDirectory | None = None
        self._socket: uvicorn.Server | None = None
        self._emulation = emulation
        self._place = Place()
        self._schedule: Schedule | None = None
        self._upkeep: Upkeep | None = None

    async def open(self) -> None:
        """Lock the data directory, recover what is in it, begin to answer.

        Raises:
            DirectoryError: the directory cannot be used.
        """
        held = DataDirectory(self.directory)
        try:
            credentials = load_or_make(held.path)
            store = Store(held.path, self._settings, self._clock)
            store.add_organization(self.organization)
            documents = Documents(held.path)
        except (OSError, ValueError) as error:
            held.release()
            raise DirectoryError(f"{self.directory} cannot be opened: {error}") from error
        store.start()
        self._held = held
        engine = Engine(self._limits)
        backend = Backend(store, engine, credentials, self._limits, documents, self._place, self._emulation)
        self._schedule = Schedule(backend, self._limits.alert_seconds)
        self._schedule.start()
        self._upkeep = Upkeep(store)
        self._upkeep.start()
        self.app.backend = backend

    async def close(self) -> None:
        """Write what memory holds, let go of threads, files and the directory."""
        backend, held = self.app.backend, self._held
        self.app.backend = self._held = None
        if self._schedule is not None:
            await self._schedule.stop()
        if self._upkeep is not None:
            await self._upkeep.stop()
        if backend is not None:
            await backend.store.close()
            backend.documents.close()
            backend.engine.close()
        if held is not None:
            held.release()

    @property
    def url(self) -> str:
        """Where it listens; empty if it does not."""
        return self._place.url

    @property
    def page(self) -> str:
        """Address of the page, credentials included (in the part that browsers keep to themselves)."""
        return f"{self.url}/#key={b64encode(self.token.encode()).decode()}"

    @property
    def user(self) -> str:
        """The user's name."""
        return self._backend.credentials.user

    @property
    def token(self) -> str:
        """What OPENOBSERVE_TOKEN holds: `user:secret`."""
        return self._backend.credentials.token

    @property
    def ingestion_token(self) -> str:
        """A secret that reaches ingestion alone, with any user's name."""
        return self._backend.credentials.ingestion_token.reveal()

    @property
    def _backend(self) -> Backend:
        if self.app.backend is None:
            raise RuntimeError("the local server is not open: `await server.open()` first")
        return self.app.backend

    @asynccontextmanager
    async def listening(self, listener: socket.socket) -> AsyncGenerator[None, None]:
        """Serve HTTP on a bound socket while the block runs, then end what is being answered.

        Args:
            listener: a bound TCP socket; closed at the end.
        """
        config = uvicorn.Config(
            self.app,
            http="h11",
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="cqrs-local-http")
        try:
            await server.is_up()
            host, port = listener.getsockname()[:2]
            self._place.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            yield
        finally:
            server.should_exit = True
            await serving
            self._place.url = ""


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the event loop, and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._up.set()

    async def is_up(self) -> None:
        await self._up.wait()


@asynccontextmanager
async def local_server(
    directory: Path,
    *,
    organization: str = DEFAULT_ORGANIZATION,
    limits: Limits | None = None,
    settings: StoreSettings | None = None,
    clock: Clock | None = None,
    emulation: Emulation = Emulation.NEWEST,
) -> AsyncGenerator[LocalServer, None]:
    """A server on a free port of the loopback, for tests.

    Args:
        directory: the data directory.
        organization: made at the first start.
        limits: what requests and queries may cost.
        settings: how the store works.
        clock: tells the time.
        emulation: which version of the real server it answers as.
    """
    server = LocalServer(
        directory,
        organization=organization,
        limits=limits,
        settings=settings,
        clock=clock,
        emulation=emulation,
    )
    await server.open()
    try:
        async with server.listening(bind("127.0.0.1", 0)):
            yield server
    finally:
        await server.close()
