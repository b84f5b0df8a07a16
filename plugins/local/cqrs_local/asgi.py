"""The routing table and the ASGI application: no framework."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, auto
from typing import Final

import attrs
from returns.result import Failure, Success

from cqrs_local import ingest, organisations, otlp, search, status, streams
from cqrs_local.answers import Answer, RefusedError, bare, message, text, unauthorised
from cqrs_local.auth import WRONG, Reach, reach_of
from cqrs_local.backend import Backend
from cqrs_local.requests import DisconnectedError, Receive, Request, Scope, Send, request_of

logger: Final = logging.getLogger("cqrs_local")

Handler = Callable[[Request, Backend], Awaitable[Answer]]


class Access(Enum):
    """Who may call a route."""

    ANYBODY = auto()
    INGESTION = auto()
    EVERYTHING = auto()


@attrs.frozen
class Route:
    """One call of the API.

    Attributes:
        method: in upper case.
        pattern: path; a part in braces gets that name.
        handler: answers it.
        access: who may call it.
    """

    method: str
    pattern: str
    handler: Handler
    access: Access = Access.EVERYTHING

    def match(self, segments: tuple[str, ...]) -> Mapping[str, str] | None:
        """The named parts of a path, None if it is another path."""
        parts = self.pattern.removeprefix("/").split("/")
        if len(parts) != len(segments):
            return None
        names = {part[1:-1]: value for part, value in zip(parts, segments, strict=True) if part[0] == "{"}
        plain = all(part[0] == "{" or part == value for part, value in zip(parts, segments, strict=True))
        return names if plain and all(names.values()) else None


ROUTES: Final = (
    Route("GET", "/healthz", status.healthz, Access.ANYBODY),
    Route("HEAD", "/healthz", status.healthz, Access.ANYBODY),
    Route("GET", "/config", status.config, Access.ANYBODY),
    Route("GET", "/api/organizations", organisations.list_organisations),
    Route("POST", "/api/{org}/_search", search.search),
    Route("GET", "/api/{org}/streams", streams.list_streams),
    Route("POST", "/api/{org}/streams/{stream}", streams.create_stream),
    Route("DELETE", "/api/{org}/streams/{stream}", streams.delete_stream),
    Route("GET", "/api/{org}/streams/{stream}/schema", streams.show_schema),
    Route("PUT", "/api/{org}/streams/{stream}/settings", streams.change_settings),
    Route("POST", "/api/{org}/{stream}/_json", ingest.ingest_json, Access.INGESTION),
    Route("POST", "/api/{org}/v1/logs", otlp.ingest_logs, Access.INGESTION),
    Route("POST", "/api/{org}/v1/metrics", otlp.ingest_metrics, Access.INGESTION),
    Route("POST", "/api/{org}/v1/traces", otlp.ingest_traces, Access.INGESTION),
    Route("POST", "/api/{org}/traces", otlp.ingest_traces, Access.INGESTION),
    Route("POST", "/api/{org}/otel/v1/traces", otlp.ingest_traces, Access.INGESTION),
)


class App:
    """The ASGI application; it answers 503 until it is given an open backend."""

    def __init__(self) -> None:
        """Start closed."""
        self.backend: Backend | None = None
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            ValueError: the scope is no HTTP request.
        """
        if scope["type"] != "http":
            raise ValueError(f"the local server speaks HTTP, not {scope['type']}")
        request = request_of(scope, receive)
        try:
            answer = await self._answer(request)
        except DisconnectedError:
            return
        await _send(answer, send, with_body=request.method != "HEAD")

    async def _answer(self, request: Request) -> Answer:
        backend = self.backend
        if backend is None:
            return message(503, "the server is not open")
        if self._running >= backend.limits.requests:
            return message(503, f"more than {backend.limits.requests} requests at once: try again")
        self._running += 1
        try:
            return await _dispatch(request, backend)
        except RefusedError as refused:
            return refused.answer
        except DisconnectedError:
            raise
        except Exception:
            logger.exception("%s /%s failed", request.method, "/".join(request.segments))
            return message(500, "Internal error: server.log in the data directory has the details")
        finally:
            self._running -= 1


async def _dispatch(request: Request, backend: Backend) -> Answer:
    matches = [(route, names) for route in ROUTES if (names := route.match(request.segments)) is not None]
    found = next(((route, names) for route, names in matches if route.method == request.method), None)
    if found is None:
        allowed = ", ".join(sorted({route.method for route, _ in matches}))
        return bare(405, {"allow": allowed}) if matches else bare(404)
    route, names = found
    if (refused := refusal(route, request, names, backend)) is not None:
        return refused
    if route.access is Access.INGESTION:
        _make_organisation(names["org"], backend)
    return await route.handler(attrs.evolve(request, names=names), backend)


def _make_organisation(name: str, backend: Backend) -> None:
    """Whoever may ingest anywhere makes the organisation that a path names, typing errors included."""
    try:
        backend.store.add_organization(name)
    except OSError as error:
        raise RefusedError(message(503, f"the data directory cannot be written: {error}")) from None


def refusal(route: Route, request: Request, names: Mapping[str, str], backend: Backend) -> Answer | None:
    """Why a request may not reach its handler, None if it may."""
    if route.access is Access.ANYBODY:
        return None
    match reach_of(request.headers.get(b"authorization"), backend.credentials):
        case Success(Reach.INGESTION) if route.access is not Access.INGESTION:
            return unauthorised(WRONG)
        case Success(reach):
            creates = route.access is Access.INGESTION and reach is Reach.EVERYTHING
            known = names.get("org") is None or names["org"] in backend.store.catalogue.orgs
            return None if known or creates else text(404, "Organization not found")
        case Failure(Answer() as answer):
            return answer
        case unexpected:
            raise TypeError(unexpected)


async def _send(answer: Answer, send: Send, *, with_body: bool) -> None:
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})
