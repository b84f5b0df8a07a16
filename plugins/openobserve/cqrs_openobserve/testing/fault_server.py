"""An HTTP server on a real socket that answers each request as a test tells it."""

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Self, final

import attrs


@final
@attrs.frozen
class Received:
    """A request that came in.

    Attributes:
        method: HTTP method.
        path: path and query.
        headers: by lower-case name.
        body: decompressed.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def stream(self) -> str:
        """The stream that records were sent to."""
        return self.path.split("/")[-2]

    @property
    def rows(self) -> list[dict[str, object]]:
        """The records."""
        return list(json.loads(self.body))


@final
@attrs.frozen
class Reply:
    """Answer.

    Attributes:
        status: HTTP status.
        body: what to send.
        headers: besides Content-Length.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = attrs.Factory(dict[str, str])


@final
@attrs.frozen
class Hang:
    """Take the request and never answer."""


@final
@attrs.frozen
class Drip:
    """Answer one byte at a time.

    Attributes:
        seconds: pause between bytes.
        text: what is dripped, for ever.
    """

    seconds: float = 0.05
    text: bytes = b"HTTP/1.1 200 OK\r\nX-Slow: "


@final
@attrs.frozen
class Reset:
    """Reset the connection.

    Attributes:
        after: bytes of an answer to send first.
    """

    after: bytes = b""


Behaviour = Reply | Hang | Drip | Reset


def stored(records: int, failed: int = 0, error: str = "") -> Reply:
    """Make the answer to a ``_json`` request.

    Args:
        records: how many were stored.
        failed: how many were refused.
        error: the server's text about those.
    """
    entry: dict[str, object] = {"name": "s", "successful": records, "failed": failed}
    if error:
        entry["error"] = error
    return Reply(body=json.dumps({"code": 200, "status": [entry]}).encode())


def store_all(received: Received) -> Behaviour:
    """Answer as a server that stores every record, span and data point.

    Args:
        received: the request.
    """
    if received.path.endswith("/_json"):
        return stored(len(received.rows))
    if received.path.rpartition("/")[2] in {"traces", "metrics", "logs"}:
        return Reply(headers={"Content-Type": "application/x-protobuf"})
    return Reply(404)


@final
class FaultServer:
    """Listens on a free loopback port while it is entered.

    Args:
        behave: says how to answer a request; by default every record, span and data point is stored.
        tls: speak TLS with this certificate.
        port: where to listen; a free port by default, another server's old one to come back as it.

    Attributes:
        received: every request so far.
        behave: may be replaced at any time.
        port: where it listens.
    """

    def __init__(
        self,
        behave: Callable[[Received], Behaviour] = store_all,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self.behave = behave
        self.received: list[Received] = []
        self._tls = tls
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The server's address."""
        return f"https://localhost:{self.port}" if self._tls else f"http://127.0.0.1:{self.port}"

    @property
    def delivered(self) -> list[dict[str, object]]:
        """The rows of every ``_json`` request, refused ones included."""
        return [
            row for received in self.received if received.path.endswith("/_json") for row in received.rows
        ]

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _spawn(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name="fault-server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(0.05)
            self._spawn(partial(self._serve, connection))

    def _serve(self, connection: socket.socket) -> None:
        if self._tls is not None:
            with contextlib.suppress(OSError):
                connection.settimeout(5)
                connection = self._tls.wrap_socket(connection, server_side=True)
                connection.settimeout(0.05)
        with connection, contextlib.suppress(OSError):
            buffer = bytearray()
            while (received := self._read(connection, buffer)) is not None:
                self.received.append(received)
                if not self._answer(connection, self.behave(received)):
                    return

    def _read(self, connection: socket.socket, buffer: bytearray) -> Received | None:
        while (end := buffer.find(b"\r\n\r\n")) < 0:
            if not self._fill(connection, buffer):
                return None
        head = buffer[:end].decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in head[1:])}
        length = end + 4 + int(headers.get("content-length", "0"))
        while len(buffer) < length:
            if not self._fill(connection, buffer):
                return None
        body = bytes(buffer[end + 4 : length])
        del buffer[:length]
        body = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        return Received(method, path, headers, body)

    def _fill(self, connection: socket.socket, buffer: bytearray) -> bool:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                data = connection.recv(65_536)
                buffer += data
                return bool(data)
        return False

    def _answer(self, connection: socket.socket, behaviour: Behaviour) -> bool:
        match behaviour:
            case Reply():
                connection.settimeout(5)
                connection.sendall(_encoded(behaviour))
                connection.settimeout(0.05)
                return True
            case Hang():
                self._closing.wait()
            case Drip(seconds, text):
                self._drip(connection, seconds, text)
            case Reset(after):
                connection.sendall(after)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        return False

    def _drip(self, connection: socket.socket, seconds: float, text: bytes) -> None:
        position = 0
        while not self._closing.wait(seconds):
            connection.sendall(text[position : position + 1] or b"x")
            position += 1


_NO_LINGER: Final = struct.pack("ii", 1, 0)


def _encoded(reply: Reply) -> bytes:
    headers = {"Content-Length": str(len(reply.body))} | dict(reply.headers)
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    return f"HTTP/1.1 {reply.status} Told\r\n{lines}\r\n".encode() + reply.body
