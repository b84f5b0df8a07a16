"""A local server to run queries on: the engine of the real one, without a socket."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import attrs
import httpx
import pytest
from cqrs_local import LocalServer

HOUR = 3_600_000_000


@attrs.frozen
class Engine:
    """Takes records, runs queries."""

    server: LocalServer
    http: httpx.AsyncClient

    @property
    def now(self) -> int:
        """The server's time in microseconds."""
        return self.server._backend.store.now()

    async def ingest(self, stream: str, records: list[dict[str, object]]) -> None:
        """Store records."""
        answer = await self.http.post(f"/api/default/{stream}/_json", json=records)
        assert answer.json()["status"][0]["successful"] == len(records), answer.text

    async def create(self, stream: str, columns: dict[str, str]) -> None:
        """Make a stream with its columns."""
        fields = [{"name": name, "type": kind} for name, kind in columns.items() if name != "_timestamp"]
        body = {"fields": fields, "settings": {}}
        assert (
            await self.http.post(f"/api/default/streams/{stream}?type=logs", json=body)
        ).status_code == 200

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        """Run a query over the last hour; a partial answer is none."""
        query = {"sql": sql, "start_time": self.now - HOUR, "end_time": self.now + 60_000_000}
        answer = await self.http.post("/api/default/_search?type=logs", json={"query": query})
        assert answer.status_code == 200, f"{answer.text}\n{sql}"
        assert not answer.json()["is_partial"], f"{answer.text}\n{sql}"
        return cast("list[dict[str, Any]]", answer.json()["hits"])


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """An empty server."""
    server = LocalServer(tmp_path / "data")
    await server.open()
    user, _, secret = server.token.partition(":")
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server", auth=(user, secret)) as http:
        yield Engine(server, http)
    await server.close()
