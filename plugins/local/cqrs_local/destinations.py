"""`/api/{org}/alerts/destinations`: where alerts are sent."""

from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import urlsplit

from cqrs_local.answers import Answer, RefusedError, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.bodies import MANAGEMENT_BODY, JsonObject, field, json_body
from cqrs_local.documents import Document
from cqrs_local.emulation import Emulation
from cqrs_local.identifiers import ksuid
from cqrs_local.requests import Request
from cqrs_local.templates import KIND as TEMPLATES
from cqrs_local.templates import check_name

KIND: Final = "destinations"
_NOT_FOUND: Final = "Destination not found"
_METHODS: Final = ("post", "put", "get")
_NO_TEMPLATE_ID: Final = "DbError# DestinationError# alert destination in DB has empty template id"


async def list_destinations(request: Request, backend: Backend) -> Answer:
    """Every destination, as a bare array."""
    listed = backend.documents.listed(request.names["org"], KIND)
    return json_answer([_shown(destination, request.emulation) for _, destination in listed])


async def create_destination(request: Request, backend: Backend) -> Answer:
    """A destination with a name that none has yet."""
    destination = await _destination(request, backend, None)
    org, name = request.names["org"], str(destination["name"])
    if backend.documents.get(org, KIND, name) is not None:
        return message(400, "Destination with the same name already exists")
    backend.documents.put(org, KIND, name, destination)
    return json_answer({"code": 200, "message": "Destination saved", "id": destination["id"], "name": name})


async def show_destination(request: Request, backend: Backend) -> Answer:
    """One destination."""
    found = backend.documents.get(request.names["org"], KIND, request.names["name"])
    return json_answer(_shown(found, request.emulation)) if found is not None else message(404, _NOT_FOUND)


async def change_destination(request: Request, backend: Backend) -> Answer:
    """The destination of the path with another content; its name stays."""
    org, name = request.names["org"], request.names["name"]
    found = backend.documents.get(org, KIND, name)
    if found is None:
        return message(404, _NOT_FOUND)
    changed = await _destination(request, backend, name)
    backend.documents.put(org, KIND, name, changed | {"id": found["id"]})
    return message(200, "Destination updated")


async def delete_destination(request: Request, backend: Backend) -> Answer:
    """A destination that no alert uses goes."""
    org, name = request.names["org"], request.names["name"]
    if backend.documents.get(org, KIND, name) is None:
        return message(404, _NOT_FOUND)
    for _, alert in backend.documents.listed(org, "alerts"):
        rule = cast("Mapping[str, object]", alert["rule"])
        if name in cast("list[str]", rule["destinations"]):
            return message(409, f"Destination is currently used by alert: {rule['name']}")
    backend.documents.delete(org, KIND, name)
    return message(200, "Destination deleted")


async def _destination(request: Request, backend: Backend, name: str | None) -> Document:
    content = json_body(await request.body(MANAGEMENT_BODY))
    name = name or field(content, "name", str, "a string")
    check_name(name, "Destination", slash=True)
    _check_kind(content)
    headers = content.get("headers")
    if headers is not None and not isinstance(headers, dict):
        raise RefusedError(message(400, "headers is an object of texts"))
    template = _template(request, backend, content)
    found: Document = {
        "id": ksuid(),
        "name": name,
        "url": _url(content),
        "method": str(content.get("method") or "post").lower(),
        "skip_tls_verify": content.get("skip_tls_verify") is True,
        "headers": {str(key): str(value) for key, value in cast("JsonObject", headers or {}).items()},
        "emails": [],
        "type": "http",
    }
    return found if template is None else found | {"template": template}


def _check_kind(content: JsonObject) -> None:
    kind, method = content.get("type") or "http", str(content.get("method") or "post").lower()
    if kind != "http":
        raise RefusedError(message(400, f"the local server sends to http destinations alone, not to {kind}"))
    if method not in _METHODS:
        raise RefusedError(message(400, f"method is one of {', '.join(_METHODS)}, not {method}"))


def _url(content: JsonObject) -> str:
    url = field(content, "url", str, "a string")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedError(message(400, "Destination URL needs to be an http or https address"))
    return url


def _template(request: Request, backend: Backend, content: JsonObject) -> str | None:
    old = request.emulation is Emulation.V0_16
    name = content.get("template")
    if not isinstance(name, str) or not name:
        if old:
            return None  # a destination of pipelines: alerts refuse it
        raise RefusedError(message(400, "Alert destination must have a template"))
    if old and backend.documents.get(request.names["org"], TEMPLATES, name) is None:
        raise RefusedError(message(500, _NO_TEMPLATE_ID))
    return name


def _shown(destination: Document, emulation: Emulation) -> Document:
    shown = {key: value for key, value in destination.items() if key != "id"}
    return shown if emulation is Emulation.V0_16 else {**shown, "metadata": {}}
