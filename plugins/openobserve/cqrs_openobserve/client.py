"""The only place that speaks HTTP: one connection, one total deadline, nothing taken from the environment."""

import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Final, final
from urllib.parse import quote, urlencode

import httpcore

from cqrs_openobserve.answers import Answer, Cause, Trouble, one_line
from cqrs_openobserve.bodies import read_body
from cqrs_openobserve.credentials import Credentials
from cqrs_openobserve.deadline import Deadline, connected, is_readable
from cqrs_openobserve.endpoint import Endpoint, is_link_local
from cqrs_openobserve.payloads import Payload

_SLICE_S: Final = 0.1
_EXCERPT: Final = 300
_Headers = dict[bytes | str, bytes | str]
_HEADERS: Final[_Headers] = {
    "Content-Type": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "returns-cqrs-openobserve",
}
_quiet: ContextVar[bool] = ContextVar("cqrs_openobserve_quiet", default=False)


@final
class ForbiddenAddressError(OSError):
    """A host name resolved to an address that is refused."""


@final
class _Stream(httpcore.NetworkStream):
    """A socket whose every operation ends at the deadline, in slices so that it may be drawn nearer."""

    def __init__(self, sock: socket.socket, backend: "_Backend") -> None:
        self._sock = sock
        self._backend = backend
        self._deadline = backend.deadline
        backend.streams = [self]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        while True:
            try:
                self._sock.settimeout(min(self._left(httpcore.ReadTimeout), _SLICE_S))
                return self._sock.recv(max_bytes)
            except TimeoutError:
                continue
            except OSError as error:
                raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        view = memoryview(buffer)
        while view:
            try:
                self._sock.settimeout(min(self._left(httpcore.WriteTimeout), _SLICE_S))
                self._backend.wrote = True
                view = view[self._sock.send(view) :]
            except TimeoutError:
                continue
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        del timeout
        try:
            self._sock.settimeout(self._left(httpcore.ConnectTimeout))
            secured = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
            return _Stream(secured, self._backend)
        except TimeoutError as error:
            self._sock.close()
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError:
            self._sock.close()
            raise

    def get_extra_info(self, info: str) -> object:
        if info == "is_readable":  # asked of an idle connection: readable means closed by the server
            return is_readable(self._sock)
        return self._sock if info == "socket" else None

    def _left(self, ended: type[Exception]) -> float:
        try:
            return self._deadline.left()
        except TimeoutError as error:
            raise ended(str(error)) from None


@final
class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline, *, allow_link_local: bool) -> None:
        self.deadline = deadline
        self._allow_link_local = allow_link_local
        self.streams: list[_Stream] = []
        self.connected = self.wrote = False

    def begin(self) -> None:
        self.connected = self.wrote = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[object] | None = None,
    ) -> httpcore.NetworkStream:
        del timeout, local_address, socket_options
        self.connected = True
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for address in found:
            if not self._allow_link_local and is_link_local(str(address[4][0])):
                raise ForbiddenAddressError(f"{host} resolves to the link-local address {address[4][0]}")
        return _Stream(connected(found, self.deadline), self)


@final
class Client:
    """Sends requests with credentials; answers with values.

    Args:
        endpoint: the server.
        organization: the organisation's identifier.
        credentials: what the requests carry.
        timeout_s: total time of one request after name resolution, in seconds.
        tls: makes the rules for certificates; called at the first request to an https server.
        proxy: URL of an HTTP proxy, or empty.
        allow_link_local: whether the host may resolve to a link-local address.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        organization: str,
        credentials: Credentials,
        *,
        timeout_s: float,
        tls: Callable[[], ssl.SSLContext],
        proxy: str = "",
        allow_link_local: bool = False,
    ) -> None:
        _silence()
        self._base = str(endpoint)
        self._root = f"/api/{quote(organization, safe='')}"
        self._host = endpoint.host
        self._credentials = credentials
        self._timeout_s = timeout_s
        self._deadline = Deadline()
        self._backend = _Backend(self._deadline, allow_link_local=allow_link_local)
        self._tls = tls if endpoint.scheme == "https" else None
        self._proxy = proxy
        self._pool: httpcore.ConnectionPool | None = None

    def send(self, payload: Payload) -> Answer | Trouble:
        """Send records.

        Args:
            payload: of any signal.
        """
        headers: _Headers = {"Content-Encoding": "gzip"}
        headers.update(payload.headers.items())
        return self._request("POST", f"{self._root}{payload.path}", payload.body, headers)

    def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer | Trouble:
        """Make a management or search call.

        Args:
            method: HTTP method.
            path: below ``/api/{organisation}``, its parts already quoted.
            query: parameters.
            body: JSON.
        """
        return self.ask(method, f"{self._root}{path}", query, body)

    def ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer | Trouble:
        """Make a call that is not one of an organisation's: ``/healthz``, ``/api/v2/…``.

        Args:
            method: HTTP method.
            path: below the server's address; what is not below ``/api/`` is asked without credentials.
            query: parameters.
            body: JSON.
        """
        return self._request(method, f"{path}?{urlencode(query)}" if query else path, body, {})

    def limit(self, moment: float) -> None:
        """End the running request and all later ones at a moment (``time.monotonic()``) at the latest."""
        self._deadline.limit(moment)

    def close(self) -> None:
        """Close the connection."""
        if self._pool is not None:
            self._pool.close()

    def abandon(self) -> None:
        """Drop a connection inherited over a fork: only this process's descriptor is closed."""
        for stream in self._backend.streams:
            stream.close()

    def _request(self, method: str, path: str, body: bytes, extra: _Headers) -> Answer | Trouble:
        self._deadline.start(self._timeout_s)
        answer = self._try(method, path, body, extra)
        if isinstance(answer, Trouble) and answer.cause == "reset" and not self._backend.connected:
            # The server closed a connection that was kept alive, as it may: no failure, but a reason to reconnect.
            return self._try(method, path, body, extra)
        return answer

    def _try(self, method: str, path: str, body: bytes, extra: _Headers) -> Answer | Trouble:
        headers: _Headers = _HEADERS | extra
        token = _quiet.set(True)
        self._backend.begin()
        try:
            if path.startswith("/api/"):
                headers["Authorization"] = self._credentials.wire()
            self._pool = self._pool or _pool(self._backend, self._tls() if self._tls else None, self._proxy)
            with self._pool.stream(method, f"{self._base}{path}", headers=headers, content=body) as response:
                return self._read(response)
        except Exception as error:  # noqa: BLE001  # whatever a network or a hostile server causes is an answer, too
            return self._trouble(error)
        finally:
            _quiet.reset(token)

    def _read(self, response: httpcore.Response) -> Answer:
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
        body, flaw = read_body(response.iter_stream(), headers.get("content-encoding", ""))
        return Answer(response.status, headers, body, flaw or self._excerpt(body[: 4 * _EXCERPT]))

    def _excerpt(self, body: bytes) -> str:
        return one_line(self._credentials.mask(body.decode("utf-8", "replace")))[:_EXCERPT]

    def _trouble(self, error: Exception) -> Trouble:
        cause, words = _cause(error)
        detail = self._credentials.mask(f"{words}{f' ({error})' if str(error) else ''}")
        return Trouble(cause, f"{self._base} {one_line(detail)[:_EXCERPT]}", sent=self._backend.wrote)


def _pool(backend: _Backend, tls: ssl.SSLContext | None, proxy: str) -> httpcore.ConnectionPool:
    if proxy:
        return httpcore.HTTPProxy(proxy, ssl_context=tls, max_connections=1, network_backend=backend)
    return httpcore.ConnectionPool(ssl_context=tls, max_connections=1, network_backend=backend)


_CAUSES: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], Cause, str], ...]] = (
    (ForbiddenAddressError, "forbidden", "is refused"),
    (socket.gaierror, "unresolved", "has a host name that cannot be resolved"),
    ((TimeoutError, httpcore.TimeoutException), "timeout", "did not answer in time"),
    (ssl.SSLError, "tls", "did not agree on TLS"),
    (ConnectionRefusedError, "refused", "refused the connection"),
    (
        (httpcore.NetworkError, httpcore.RemoteProtocolError, ConnectionError),
        "reset",
        "closed the connection or does not speak HTTP",
    ),
    (OSError, "refused", "cannot be reached"),
)


def _cause(error: Exception) -> tuple[Cause, str]:
    for kinds, cause, words in _CAUSES:
        if isinstance(error, kinds):
            return cause, words
    return "unreadable", "answered what cannot be read"


def _silence() -> None:
    # The library's DEBUG lines would show what we send, and a handler that ships log lines would loop.
    for name in ("connection", "http11", "http2", "proxy", "socks"):
        logger = logging.getLogger(f"httpcore.{name}")
        if _speaks not in logger.filters:
            logger.addFilter(_speaks)


def _speaks(record: logging.LogRecord) -> bool:
    del record
    return not _quiet.get()
