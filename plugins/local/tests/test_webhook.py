"""Sending a message."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cqrs_local.webhook import Message, send


class Sink(BaseHTTPRequestHandler):
    """Keeps what it is sent; answers 500 below /bad and redirects below /moved."""

    got: list[tuple[str, str, str, str]] = []  # noqa: RUF012 - one list for all requests of a test

    def do_POST(self) -> None:
        """Take a message."""
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.got.append((self.command, self.path, self.headers["x-src"], body))
        self.send_response({"/bad": 500, "/moved": 302}.get(self.path, 200))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def sink() -> Iterator[str]:
    Sink.got.clear()
    server = HTTPServer(("127.0.0.1", 0), Sink)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def message(url: str, **changed: Any) -> Message:
    return Message(**{"url": url, "method": "post", "headers": {"X-Src": "o2"}, "body": "ü", **changed})


def test_a_message_is_sent_as_it_is(sink: str) -> None:
    """Method, path with query, headers, body."""
    assert send(message(f"{sink}/hook?a=b")) == ""
    assert Sink.got == [("POST", "/hook?a=b", "o2", "ü")]


@pytest.mark.parametrize(("path", "said"), [("/bad", "answered 500"), ("/moved", "answered 302")])
def test_anything_but_success_is_told(sink: str, path: str, said: str) -> None:
    """A redirect is not followed: nobody sent for that address."""
    assert said in send(message(f"{sink}{path}"))
    assert len(Sink.got) == 1


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/", "http://nosuch.invalid/", "http://127.0.0.1:99999/", "https://127.0.0.1:1/"],
)
def test_an_address_that_cannot_be_reached_is_told(url: str) -> None:
    """As a text, never raised."""
    assert send(message(url, verify=False)) != ""


def test_a_line_break_in_a_header_is_refused(sink: str) -> None:
    """It would be another header."""
    assert "ValueError" in send(message(sink, headers={"X-Src": "a\r\nX: b"}))
    assert Sink.got == []
