"""Routing, access and what holds for every call."""

import asyncio
import re
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cqrs_local.asgi import Access, App
from cqrs_local.limits import Limits
from cqrs_local.routes import ROUTES


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("PUT", "/api/default/s/_json", 405, "POST"),
        ("GET", "/api/default/_search", 405, "POST"),
        ("PATCH", "/api/default/streams/s", 405, "DELETE, POST"),
        ("DELETE", "/healthz", 405, "GET, HEAD"),
        ("GET", "/api/default/nosuch/path/x", 404, None),
        ("POST", "/api//s/_json", 404, None),
        ("POST", "/otlp/v1/logs", 404, None),
        ("POST", "/api/default/v1/profiles", 404, None),
        ("GET", "/api/default/reports", 404, None),
    ],
)
async def test_an_unknown_call_is_refused_without_a_body(
    api: Any, method: str, path: str, status: int, allow: str | None
) -> None:
    """405 for a known path, 404 for any other; calls that do not exist here are unknown."""
    answer = await api.http.request(method, path)

    assert (answer.status_code, answer.content, answer.headers.get("allow")) == (status, b"", allow)


async def test_every_call_of_the_api_wants_credentials(api: Any, anonymous: httpx.AsyncClient) -> None:
    """No call was forgotten: none answers a stranger, and the ingestion token opens ingestion alone."""
    for route in ROUTES:
        if route.access is Access.ANYBODY:
            continue
        path = re.sub(r"\{\w+\}", "x", route.pattern.replace("{org}", "default"))
        stranger = await anonymous.request(route.method, path)
        ingester = await anonymous.request(
            route.method, path, auth=("x", api.server.ingestion_token), json=[]
        )

        assert stranger.status_code == 401, route
        assert (ingester.status_code == 401) is (route.access is not Access.INGESTION), route


async def test_an_unknown_organisation_is_a_404_except_for_records_of_the_user(
    api: Any, anonymous: httpx.AsyncClient
) -> None:
    """A typo in the organisation makes a new one when the user sends records, as on the server."""
    search = await api.http.post("/api/typo/_search", json={})
    foreign = await anonymous.post("/api/typo/s/_json", json=[{}], auth=("x", api.server.ingestion_token))
    own = await api.http.post("/api/typo/s/_json", json=[{}])
    now_known = await api.http.get("/api/typo/streams")

    assert (search.status_code, search.text) == (404, "Organization not found")
    assert (foreign.status_code, foreign.text) == (404, "Organization not found")
    assert (own.status_code, now_known.json()["total"]) == (200, 1)


@pytest.mark.parametrize("name", ["..", "../../etc", "/etc/passwd", "a\0b", "%2e%2e", "~root", "C:\\x"])
async def test_no_name_leaves_the_data_directory(api: Any, name: str, tmp_path: Any) -> None:
    """Organisations and streams of any name live inside of it, in directories that carry numbers."""
    segment = quote(name, safe="").replace(".", "%2E")
    path = f"/api/{segment}/{segment}/_json"
    answer = await api.http.post(path, json=[{"a": 1}])
    await api.flush()

    assert answer.json()["status"][0]["successful"] == 1
    data = tmp_path / "data"
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert all(path.name.isdecimal() for path in (data / "segments").iterdir())


async def test_head_has_no_body_but_its_length(api: Any) -> None:
    """As HTTP wants it."""
    answer = await api.http.head("/healthz")

    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "15")


async def test_an_application_that_is_not_open_says_so(closed_app: App) -> None:
    """503, not a crash."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(closed_app), base_url="http://x") as client:
        answer = await client.get("/healthz")

    assert (answer.status_code, answer.json()["message"]) == (503, "the server is not open")


async def test_too_many_requests_at_once_are_turned_away(open_api: Any, until: Any) -> None:
    """503 for the one above the limit; the others and later ones are answered."""
    api = await open_api(limits=Limits(requests=2))
    goes_on = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(send_slowly(api, goes_on)) for _ in range(2)]
        await until(lambda: api.server.app._running == 2)
        turned_away = await api.http.get("/healthz")
        goes_on.set()
    after = await api.http.get("/healthz")

    assert [answer.result() for answer in answers] == [200, 200]
    assert (turned_away.status_code, after.status_code) == (503, 200)


async def send_slowly(api: Any, goes_on: asyncio.Event) -> int:
    """A request whose body waits for `goes_on`; the status of the answer."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        await goes_on.wait()
        return {"type": "http.request", "body": b"[]"}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status", 0))

    request = api.http.build_request("POST", "/api/default/s/_json")
    headers = [*request.headers.raw, (b"authorization", basic(api.server.token))]
    scope = {
        "type": "http",
        "method": "POST",
        "path": request.url.path,
        "query_string": b"",
        "headers": headers,
    }
    await api.server.app(scope, receive, send)
    return statuses[0]


def basic(token: str) -> bytes:
    """The header of a credential."""
    return b"Basic " + b64encode(token.encode())


async def test_a_crash_of_a_handler_is_a_500_without_its_story(
    api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client learns where the story is, the log has it, the next request is answered."""

    def crash(*_: object) -> None:
        raise RuntimeError("the secret story")

    monkeypatch.setattr(api.server._backend.store.catalogue, "streams", crash)
    answer = await api.http.get("/api/default/streams")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "the secret story" in caplog.text
    assert (await api.http.get("/healthz")).status_code == 200


async def test_a_websocket_is_no_request(api: Any) -> None:
    """Whoever serves the application wrongly hears it."""
    with pytest.raises(ValueError, match="speaks HTTP, not websocket"):
        await api.server.app({"type": "websocket"}, None, None)
