"""The ASGI application: no framework."""

import logging
from collections.abc import Mapping
from typing import Final

import attrs
from returns.result import Failure, Success

from cqrs_local.answers import Answer, RefusedError, bare, message, text, unauthorised
from cqrs_local.auth import WRONG, Reach, reach_of
from cqrs_local.backend import Backend
from cqrs_local.emulation import Emulation
from cqrs_local.old_answers import as_0_16
from cqrs_local.requests import DisconnectedError, Receive, Request, Scope, Send, request_of
from cqrs_local.routes import ORGANISATIONS, Access, Route, routes_of_length

logger: Final = logging.getLogger("cqrs_local")


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
            answer = await _answered(attrs.evolve(request, emulation=backend.emulation), backend)
        except DisconnectedError:
            raise
        except Exception:
            logger.exception("%s /%s failed", request.method, "/".join(request.segments))
            return message(500, "Internal error: server.log in the data directory has the details")
        finally:
            self._running -= 1
        old = backend.emulation is Emulation.V0_16
        return as_0_16(answer, request.headers.get(b"authorization")) if old else answer


async def _answered(request: Request, backend: Backend) -> Answer:
    try:
        return await _dispatch(request, backend)
    except RefusedError as refused:
        return refused.answer


async def _dispatch(request: Request, backend: Backend) -> Answer:
    matching = {
        route.method: (route, names)
        for route in reversed(routes_of_length(len(request.segments)))  # the first of two that match wins
        if (names := route.match(request.segments)) is not None
    }
    if request.method not in matching:
        return bare(405, {"allow": ", ".join(sorted(matching))}) if matching else bare(404)
    route, names = matching[request.method]
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
        case Success(Reach.INGESTION) if route.access is not Access.INGESTION and not _shown_to_all(
            route, backend
        ):
            return unauthorised(WRONG)
        case Success(reach):
            creates = route.access is Access.INGESTION and reach is Reach.EVERYTHING
            known = names.get("org") is None or names["org"] in backend.store.catalogue.orgs
            return None if known or creates else text(404, "Organization not found")
        case Failure(Answer() as answer):
            return answer
        case unexpected:
            raise TypeError(unexpected)


def _shown_to_all(route: Route, backend: Backend) -> bool:
    """0.16 lists the organisations to whoever may ingest."""
    return backend.emulation is Emulation.V0_16 and route.pattern == ORGANISATIONS


async def _send(answer: Answer, send: Send, *, with_body: bool) -> None:
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})
