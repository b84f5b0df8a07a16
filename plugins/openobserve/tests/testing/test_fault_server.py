"""The server that misbehaves as told."""

import gzip
import json
import socket
import time
import urllib.error
import urllib.request

import pytest
from cqrs_openobserve.testing import Drip, FaultServer, Hang, Reply, Reset, stored


def post(url: str, rows: list[dict[str, int]]) -> bytes:
    request = urllib.request.Request(
        f"{url}/api/default/s/_json",
        gzip.compress(json.dumps(rows).encode()),
        {"Content-Encoding": "gzip", "X-A": "b"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=0.5) as answer:
        return bytes(answer.read())


def test_it_stores_by_default() -> None:
    """And remembers what came."""
    with FaultServer() as server:
        answer = json.loads(post(server.url, [{"a": 1}, {"a": 2}]))
    assert answer["status"] == [{"name": "s", "successful": 2, "failed": 0}]
    (received,) = server.received
    assert (received.method, received.stream, received.headers["x-a"]) == ("POST", "s", "b")
    assert server.delivered == received.rows == [{"a": 1}, {"a": 2}]


def test_it_answers_as_told() -> None:
    """Status, headers and body; counts with an error text."""
    with FaultServer(lambda _: Reply(503, b"busy", {"Retry-After": "2"})) as server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(server.url, [])
        assert (refused.value.code, refused.value.headers["Retry-After"]) == (503, "2")
        refused.value.close()
        server.behave = lambda _: stored(1, 2, "why")
        assert json.loads(post(server.url, []))["status"] == [
            {"name": "s", "successful": 1, "failed": 2, "error": "why"}
        ]


def ask(server: FaultServer, seconds: float) -> tuple[bytes, type[OSError] | None]:
    """Send a request and read for a time; gives what came and how it ended."""
    came, until = b"", time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(seconds)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            while (data := connection.recv(10)) and time.monotonic() < until:
                came += data
        except OSError as error:
            return came, type(error)
    return came, None


def test_it_keeps_a_client_waiting() -> None:
    """With nothing, or with byte after byte."""
    with FaultServer(lambda _: Hang()) as server:
        assert ask(server, 0.2) == (b"", TimeoutError)
        server.behave = lambda _: Drip(0.01, b"HTTP")
        came, ended = ask(server, 0.2)
    assert came.startswith(b"HTTPxx")
    assert ended is None


def test_it_resets() -> None:
    """Before or in the middle of an answer."""
    with FaultServer(lambda _: Reset(b"HTTP")) as server:
        assert ask(server, 1) in {(b"HTTP", ConnectionResetError), (b"", ConnectionResetError)}


def test_a_closed_server_refuses() -> None:
    """Its port is free for what comes next."""
    server = FaultServer()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
