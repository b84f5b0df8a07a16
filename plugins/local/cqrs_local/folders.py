"""`/api/v2/{org}/folders/{kind}`: folders of alerts and of dashboards."""

from typing import Final, cast

from cqrs_local.answers import Answer, RefusedError, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.bodies import MANAGEMENT_BODY, field, json_body
from cqrs_local.documents import Document, Documents
from cqrs_local.identifiers import snowflake
from cqrs_local.requests import Request

DEFAULT: Final = "default"
_KINDS: Final = ("alerts", "dashboards")
_NOT_FOUND: Final = "Folder not found"


async def list_folders(request: Request, backend: Backend) -> Answer:
    """Every folder of a kind; the default one once it is in use."""
    return json_answer({"list": [folder for _, folder in backend.documents.listed(*_place(request))]})


async def create_folder(request: Request, backend: Backend) -> Answer:
    """A folder with a name that none has yet."""
    content = json_body(await request.body(MANAGEMENT_BODY))
    name = field(content, "name", str, "a string")
    org, kind = _place(request)
    if name in [folder["name"] for _, folder in backend.documents.listed(org, kind)]:
        return message(400, "Folder with this name already exists in this organization")
    folder: Document = {
        "folderId": snowflake(),
        "name": name,
        "description": str(content.get("description") or ""),
    }
    backend.documents.put(org, kind, str(folder["folderId"]), folder)
    return json_answer(folder)


async def show_folder(request: Request, backend: Backend) -> Answer:
    """A folder by its id."""
    found = backend.documents.get(*_place(request), request.names["folder"])
    return json_answer(found) if found is not None else message(404, _NOT_FOUND)


async def find_folder(request: Request, backend: Backend) -> Answer:
    """A folder by its name."""
    listed = backend.documents.listed(*_place(request))
    found = next((folder for _, folder in listed if folder["name"] == request.names["name"]), None)
    return json_answer(found) if found is not None else message(404, _NOT_FOUND)


async def change_folder(request: Request, backend: Backend) -> Answer:
    """Another name or description."""
    content = json_body(await request.body(MANAGEMENT_BODY))
    org, kind = _place(request)
    found = backend.documents.get(org, kind, request.names["folder"])
    if found is None:
        return message(404, _NOT_FOUND)
    changed = {"name": field(content, "name", str, "a string"), "description": content.get("description", "")}
    backend.documents.put(org, kind, request.names["folder"], found | changed)
    return message(200, "Folder updated")


async def delete_folder(request: Request, backend: Backend) -> Answer:
    """An empty folder goes."""
    org, kind = _place(request)
    key = request.names["folder"]
    if backend.documents.get(org, kind, key) is None:
        return message(404, _NOT_FOUND)
    inside = kind.removeprefix("folder:")
    held = [document for _, document in backend.documents.listed(org, inside) if document["folder"] == key]
    if held:
        return message(400, f"Folder contains {inside}, please move/delete {inside} from folder")
    backend.documents.delete(org, kind, key)
    return message(200, "Folder deleted")


def existing_folder(documents: Documents, org: str, kind: str, key: str) -> Document:
    """The folder that a call names; the default one is made on demand.

    Raises:
        RefusedError: there is none (404).
    """
    found = documents.get(org, f"folder:{kind}", key)
    if found is not None:
        return found
    if key != DEFAULT:
        raise RefusedError(message(404, _NOT_FOUND))
    made: Document = {"folderId": DEFAULT, "name": DEFAULT, "description": DEFAULT}
    documents.put(org, f"folder:{kind}", DEFAULT, made)
    return made


def folder_name(documents: Documents, org: str, kind: str, key: str) -> str:
    """What a folder is called."""
    return cast("str", (documents.get(org, f"folder:{kind}", key) or {"name": key})["name"])


def _place(request: Request) -> tuple[str, str]:
    if request.names["kind"] not in _KINDS:
        raise RefusedError(message(400, f"folders hold {' or '.join(_KINDS)}"))
    return request.names["org"], f"folder:{request.names['kind']}"
