"""The server as an object."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from cqrs_local import Limits, LocalServer, StoreSettings, local_server
from cqrs_local.catalogue import FILE_NAME
from cqrs_local.directory import DirectoryError


async def test_a_server_for_a_test_has_a_real_socket(tmp_path: Path) -> None:
    """Its address, user and token work as those of any server."""
    async with local_server(tmp_path, organization="mine") as server:
        user, _, secret = server.token.partition(":")
        async with httpx.AsyncClient(base_url=server.url, auth=(user, secret)) as http:
            answer = await http.post("/api/mine/s/_json", json=[{"a": 1}])
            listed = await http.get("/api/mine/streams")
        url = server.url

    assert user == "root@example.com"
    assert (answer.status_code, listed.json()["total"]) == (200, 1)
    assert (server.url, server.organization) == ("", "mine")
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(url)


async def test_two_servers_run_at_once(tmp_path: Path) -> None:
    """Each on its own port and directory."""
    async with local_server(tmp_path / "a") as first, local_server(tmp_path / "b") as second:
        assert first.url != second.url


async def test_a_directory_has_one_server(tmp_path: Path) -> None:
    """The second is told, the first goes on."""
    async with local_server(tmp_path) as server:
        with pytest.raises(DirectoryError, match="in use by another local server"):
            await LocalServer(tmp_path).open()
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{server.url}/healthz")).status_code == 200


async def test_what_cannot_be_opened_lets_go_of_the_directory(tmp_path: Path) -> None:
    """After the damage is mended it opens."""
    (tmp_path / FILE_NAME).write_text("{")
    with pytest.raises(DirectoryError, match=r"catalogue\.json is damaged"):
        await LocalServer(tmp_path).open()
    (tmp_path / FILE_NAME).unlink()
    server = LocalServer(tmp_path)
    await server.open()
    await server.close()


async def test_a_server_that_is_not_open_says_so(tmp_path: Path) -> None:
    """There is no token before `open`; closing twice does no harm."""
    server = LocalServer(tmp_path, limits=Limits(), settings=StoreSettings())
    with pytest.raises(RuntimeError, match=r"`await server.open\(\)` first"):
        _ = server.token
    await server.open()
    await server.close()
    await server.close()


async def test_a_stop_ends_connections_that_stay_open(tmp_path: Path) -> None:
    """An idle client and one in the middle of a request do not hold the server up."""
    async with asyncio.timeout(2):
        async with local_server(tmp_path) as server:
            host, port = server.url.removeprefix("http://").split(":")
            _, idle = await asyncio.open_connection(host, int(port))
            reader, half = await asyncio.open_connection(host, int(port))
            half.write(b"POST /api/default/s/_json HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n[")
            await half.drain()
        await reader.read()
        idle.close()
        half.close()


async def test_records_of_one_server_are_there_in_the_next(tmp_path: Path, open_api: Any) -> None:
    """The directory is all that counts; the token stays."""
    first = await open_api(directory=tmp_path / "d")
    await first.ingest("s", [{"a": 1}])
    token = first.server.token
    await first.server.close()
    second = await open_api(directory=tmp_path / "d")

    assert second.server.token == token
    assert [hit["a"] for hit in await second.hits("SELECT a FROM s")] == [1]
