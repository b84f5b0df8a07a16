"""`/api/{org}/dashboards`: dashboards; a change has to name the hash of what it changes."""

from datetime import UTC, datetime
from typing import Final, cast

from cqrs_local.answers import Answer, RefusedError, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.bodies import MANAGEMENT_BODY, json_body
from cqrs_local.dashboard_schema import dashboard_of, encoded, hash_of
from cqrs_local.documents import Document
from cqrs_local.emulation import Emulation
from cqrs_local.folders import DEFAULT, existing_folder, folder_name
from cqrs_local.identifiers import snowflake
from cqrs_local.requests import Request

KIND: Final = "dashboards"
_NOT_FOUND: Final = "Dashboard not found"
_CONFLICT: Final = (
    "Conflict: Failed to save due to concurrent changes. "
    "Please refresh the page after backing up your work to avoid losing changes."
)
_NO_HASH: Final = "Request to update existing dashboard with missing or invalid hash value. BUG"
_WRONG_FOLDER: Final = "DbError# PutDashboard# error putting dashboard with folder that does not exist"
_SUMMARY: Final = ("title", "description", "role", "owner", "created")


async def create_dashboard(request: Request, backend: Backend) -> Answer:
    """A dashboard in a folder; another one of the same title is another dashboard."""
    org, folder = request.names["org"], request.query.get("folder", DEFAULT)
    existing_folder(backend.documents, org, KIND, folder)
    content = dashboard_of(json_body(await request.body(MANAGEMENT_BODY)), request.emulation)
    dashboard = _owned(content, snowflake(), backend)
    key = str(dashboard["dashboardId"])
    backend.documents.put(org, KIND, key, {"folder": folder, "dashboard": dashboard})
    return json_answer(encoded(dashboard, request.emulation))


async def list_dashboards(request: Request, backend: Backend) -> Answer:
    """The dashboards of one folder, the default one if none is named."""
    org, folder = request.names["org"], request.query.get("folder", DEFAULT)
    title = request.query.get("title", "").lower()
    listed = [
        _entry(cast("Document", stored["dashboard"]), folder, request, backend)
        for _, stored in backend.documents.listed(org, KIND)
        if stored["folder"] == folder
    ]
    return json_answer({"dashboards": [entry for entry in listed if title in str(entry["title"]).lower()]})


async def show_dashboard(request: Request, backend: Backend) -> Answer:
    """One dashboard with its hash."""
    return json_answer(encoded(_found(request, backend)[1], request.emulation))


async def change_dashboard(request: Request, backend: Backend) -> Answer:
    """The whole dashboard anew, if the hash is the one it has."""
    folder, before = _found(request, backend)
    given = request.query.get("hash", "")
    if not (given.isascii() and given.isdecimal()):
        return message(500, _NO_HASH)
    if request.query.get("folder", DEFAULT) != folder:
        old = request.emulation is Emulation.V0_16
        return message(500, _WRONG_FOLDER) if old else message(404, _NOT_FOUND)
    if given != hash_of(before):
        return message(409, _CONFLICT)
    content = dashboard_of(json_body(await request.body(MANAGEMENT_BODY)), request.emulation)
    dashboard = _owned(content, str(before["dashboardId"]), backend)
    stored: Document = {"folder": folder, "dashboard": dashboard}
    backend.documents.put(request.names["org"], KIND, request.names["dashboard"], stored)
    return json_answer(encoded(dashboard, request.emulation))


async def delete_dashboard(request: Request, backend: Backend) -> Answer:
    """A dashboard goes."""
    _found(request, backend)
    backend.documents.delete(request.names["org"], KIND, request.names["dashboard"])
    return message(200, "Dashboard deleted")


def _owned(content: Document, key: str, backend: Backend) -> Document:
    now = datetime.fromtimestamp(backend.store.now() / 1e6, UTC).isoformat().replace("+00:00", "Z")
    return content | {"dashboardId": key, "owner": backend.credentials.user, "created": now}


def _found(request: Request, backend: Backend) -> tuple[str, Document]:
    stored = backend.documents.get(request.names["org"], KIND, request.names["dashboard"])
    if stored is None:
        raise RefusedError(message(404, _NOT_FOUND))
    return str(stored["folder"]), cast("Document", stored["dashboard"])


def _entry(dashboard: Document, folder: str, request: Request, backend: Backend) -> Document:
    return {
        **encoded(dashboard, request.emulation),
        "folder_id": folder,
        "folder_name": folder_name(backend.documents, request.names["org"], KIND, folder),
        "dashboard_id": dashboard["dashboardId"],
        **{name: dashboard[name] for name in _SUMMARY},
    }
