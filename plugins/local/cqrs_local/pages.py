"""The page: our own static files, and the one call that only it makes."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, cast

from cqrs_local.answers import Answer, bare, json_answer
from cqrs_local.backend import Backend
from cqrs_local.requests import Request

_KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
}
# Nothing from elsewhere; the tooltips of the charts set their own styles.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


async def index(_request: Request, _backend: Backend) -> Answer:
    """The page itself; it asks for credentials, or takes them from its address."""
    return _file("index.html")


async def asset(request: Request, _backend: Backend) -> Answer:
    """One of its files."""
    return _file(request.names["file"])


async def vendored(request: Request, _backend: Backend) -> Answer:
    """A file of the chart library."""
    return _file(f"vendor/{request.names['file']}")


async def alert_states(request: Request, backend: Backend) -> Answer:
    """Every alert with its last value and its history, for the page alone."""
    org = request.names["org"]
    listed = [
        _alert(key, cast("Mapping[str, object]", alert["rule"]), _state(backend, org, key))
        for key, alert in backend.documents.listed(org, "alerts")
    ]
    return json_answer({"list": listed})


def _state(backend: Backend, org: str, key: str) -> Mapping[str, object]:
    return backend.documents.get(org, "alert_states", key) or {}


def _alert(key: str, rule: Mapping[str, object], state: Mapping[str, object]) -> dict[str, object]:
    return {
        "id": key,
        "name": rule["name"],
        "description": rule["description"],
        "sql": cast("Mapping[str, object]", rule["query_condition"])["sql"],
        "state": _word(rule, state),
        "value": state.get("value", {}),
        "error": state.get("error", ""),
        "history": state.get("history", []),
        "last_evaluated_at": state.get("last_evaluated_at"),
        "last_satisfied_at": state.get("last_satisfied_at"),
    }


def _word(rule: Mapping[str, object], state: Mapping[str, object]) -> str:
    if not rule["enabled"]:
        return "disabled"
    if not state:
        return "waiting"
    if state["firing"]:
        return "firing"
    return "error" if state["error"] else "quiet"


def _file(name: str) -> Answer:
    content = _contents().get(name)
    if content is None:
        return bare(404)
    kind = _KINDS[name.rpartition(".")[2]]
    headers = {**_HEADERS, "content-type": kind}
    return Answer(200, content, [(key.encode(), value.encode()) for key, value in headers.items()])


@cache
def _contents() -> Mapping[str, bytes]:
    """Every file of the page by its name: what is not listed here cannot be asked for."""
    folder = files("cqrs_local") / "page"
    return {
        f"{prefix}{entry.name}": entry.read_bytes()
        for prefix, place in (("", folder), ("vendor/", folder / "vendor"))
        for entry in place.iterdir()
        if entry.name.rpartition(".")[2] in _KINDS
    }
