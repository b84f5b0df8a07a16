"""A server without a socket, with a client that speaks to it as an app would."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from cqrs_local.asgi import App
from cqrs_local.limits import Limits
from cqrs_local.server import LocalServer
from cqrs_local.store_settings import StoreSettings

HOUR = 3_600_000_000


class StoppedClock:
    """A clock that a test moves."""

    def __init__(self, now_ns: int = 1_800_000_000_000_000_000) -> None:
        self.now = now_ns

    def time_ns(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return self.now


@attrs.frozen
class Api:
    """The calls of the API, with full credentials."""

    server: LocalServer
    http: httpx.AsyncClient

    async def ingest(self, stream: str, records: object, **options: Any) -> httpx.Response:
        return await self.http.post(f"/api/default/{stream}/_json", json=records, **options)

    async def search(self, sql: str, *, minutes: int = 60, **query: object) -> httpx.Response:
        now = self.server._backend.store.now()
        asked = {"sql": sql, "start_time": now - minutes * 60_000_000, "end_time": now + HOUR, **query}
        return await self.http.post("/api/default/_search", json={"query": asked})

    async def hits(self, sql: str, **query: object) -> list[dict[str, object]]:
        answer = await self.search(sql, **query)
        assert answer.status_code == 200, answer.text
        assert not answer.json()["is_partial"], answer.text
        return answer.json()["hits"]

    async def flush(self) -> None:
        await self.server._backend.store.flush()


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
    ) -> Api:
        server = LocalServer(directory or tmp_path / "data", limits=limits, settings=settings, clock=clock)
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
