"""`/api/{org}/alerts/templates`: the texts that alerts send."""

import re
from typing import Final

from cqrs_local.answers import Answer, RefusedError, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.bodies import MANAGEMENT_BODY, JsonObject, field, json_body
from cqrs_local.documents import Document
from cqrs_local.emulation import Emulation
from cqrs_local.identifiers import ksuid
from cqrs_local.requests import Request

KIND: Final = "templates"
_FORBIDDEN: Final = re.compile(r"[:#?\s'\"%&]")
_NOT_FOUND: Final = "Template not found"
_SHOWN: Final = ("name", "body", "isDefault", "isPrebuilt", "type", "title")


async def list_templates(request: Request, backend: Backend) -> Answer:
    """Every template, as a bare array."""
    listed = backend.documents.listed(request.names["org"], KIND)
    return json_answer([_shown(template, request.emulation) for _, template in listed])


async def create_template(request: Request, backend: Backend) -> Answer:
    """A template with a name that none has yet."""
    template = _template(json_body(await request.body(MANAGEMENT_BODY)))
    org, name = request.names["org"], str(template["name"])
    if backend.documents.get(org, KIND, name) is not None:
        return message(400, "Template with the same name already exists")
    backend.documents.put(org, KIND, name, template)
    return json_answer({"code": 200, "message": "Template saved", "id": template["id"], "name": name})


async def show_template(request: Request, backend: Backend) -> Answer:
    """One template."""
    found = backend.documents.get(request.names["org"], KIND, request.names["name"])
    return json_answer(_shown(found, request.emulation)) if found is not None else message(404, _NOT_FOUND)


async def change_template(request: Request, backend: Backend) -> Answer:
    """The template of the path with another content; its name stays."""
    content = json_body(await request.body(MANAGEMENT_BODY))
    org, name = request.names["org"], request.names["name"]
    found = backend.documents.get(org, KIND, name)
    if found is None:
        return message(404, _NOT_FOUND)
    backend.documents.put(org, KIND, name, _template({**content, "name": name}) | {"id": found["id"]})
    return message(200, "Template updated")


async def delete_template(request: Request, backend: Backend) -> Answer:
    """A template that no destination uses goes."""
    org, name = request.names["org"], request.names["name"]
    if backend.documents.get(org, KIND, name) is None:
        return message(404, _NOT_FOUND)
    for key, destination in backend.documents.listed(org, "destinations"):
        if destination.get("template") == name:
            return message(409, f"Template is in use for destination {key}")
    backend.documents.delete(org, KIND, name)
    return message(200, "Template deleted")


def check_name(name: str, what: str, *, slash: bool) -> None:
    """Refuse a name with characters that the server does not take.

    Args:
        name: as sent.
        what: whose name it is.
        slash: whether the text of the refusal lists the slash, which is refused in any case.

    Raises:
        RefusedError: a character of it is not allowed (400).
    """
    if not name.strip():
        raise RefusedError(message(400, f"{what} name is required"))
    if _FORBIDDEN.search(name) or "/" in name:
        listed = "':', '#', '?', '&', '%', '/', quotes" if slash else "':', '#', '?', '&', '%', quotes"
        raise RefusedError(message(400, f"{what} name cannot contain {listed} and space characters"))


def _template(content: JsonObject) -> Document:
    name = field(content, "name", str, "a string")
    check_name(name, "Template", slash=True)
    kind, title = str(content.get("type") or "http"), str(content.get("title") or "")
    if kind == "email" and not title:
        raise RefusedError(message(400, "Email template must have a title"))
    body = field(content, "body", str, "a string")
    if not body:
        raise RefusedError(message(400, "Template body is required"))
    return {"id": ksuid(), "name": name, "body": body, "isDefault": True, "type": kind, "title": title}


def _shown(template: Document, emulation: Emulation) -> Document:
    known = template if emulation is Emulation.V0_16 else {**template, "isPrebuilt": False}
    return {key: known[key] for key in _SHOWN if key in known}
