"""A server without a socket, with a client that speaks to it as an app would."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import attrs
import httpx
import pytest
from cqrs_local.asgi import App
from cqrs_local.emulation import Emulation
from cqrs_local.limits import Limits
from cqrs_local.server import LocalServer
from cqrs_local.store_settings import StoreSettings

HOUR = 3_600_000_000


class StoppedClock:
    """A clock that a test moves."""

    def __init__(self, now_ns: int = 1_800_000_000_000_000_000) -> None:
        self.now = now_ns

    def time_ns(self) -> int:
        """The moment that the test set."""
        return self.now

    def monotonic_ns(self) -> int:
        """The same."""
        return self.now


@attrs.frozen
class Api:
    """The calls of the API, with full credentials."""

    server: LocalServer
    http: httpx.AsyncClient

    async def ingest(self, stream: str, records: object, **options: Any) -> httpx.Response:
        """Send records."""
        return await self.http.post(f"/api/default/{stream}/_json", json=records, **options)

    async def search(self, sql: str, **query: object) -> httpx.Response:
        """Ask for the last hour, or for what `query` says."""
        now = self.server._backend.store.now()
        asked = {"sql": sql, "start_time": now - HOUR, "end_time": now + HOUR, **query}
        return await self.http.post("/api/default/_search", json={"query": asked})

    async def hits(self, sql: str, **query: object) -> list[dict[str, Any]]:
        """The rows of an answer that has to be whole."""
        answer = await self.search(sql, **query)
        assert answer.status_code == 200, answer.text
        assert not answer.json()["is_partial"], answer.text
        return cast("list[dict[str, Any]]", answer.json()["hits"])

    async def flush(self) -> None:
        """Write what is in memory to segments."""
        await self.server._backend.store.flush()


async def until(holds: Callable[[], bool]) -> None:
    """Let other tasks and threads run until something holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nobody tells when it does
            await asyncio.sleep(0.001)


OpenApi = Callable[..., Awaitable[Api]]


@pytest.fixture
async def open_api(tmp_path: Path) -> AsyncIterator[OpenApi]:
    """Opens servers over one data directory; each is closed at the end of the test."""
    opened: list[Api] = []

    async def open_one(
        limits: Limits | None = None,
        settings: StoreSettings | None = None,
        clock: Any = None,
        directory: Path | None = None,
        emulation: Emulation = Emulation.NEWEST,
    ) -> Api:
        server = LocalServer(
            directory or tmp_path / "data",
            limits=limits,
            settings=settings,
            clock=clock,
            emulation=emulation,
        )
        await server.open()
        user, _, secret = server.token.partition(":")
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(server.app), base_url="http://server", auth=(user, secret)
        )
        opened.append(Api(server, http))
        return opened[-1]

    yield open_one
    for api in opened:
        await api.http.aclose()
        await api.server.close()


@pytest.fixture
async def api(open_api: OpenApi) -> Api:
    """A server over an empty data directory."""
    return await open_api()


@pytest.fixture(name="until")
def give_until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits until something holds."""
    return until


@pytest.fixture
def clock() -> StoppedClock:
    """A clock that a test moves."""
    return StoppedClock()


@pytest.fixture
async def anonymous(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client without credentials."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api.server.app), base_url="http://server"
    ) as client:
        yield client


@pytest.fixture
def closed_app() -> App:
    """An application that was never opened."""
    return App()
