"""`/api/v2/{org}/alerts`: rules that are evaluated on a schedule. Names may repeat, as on the server."""

from collections.abc import Mapping
from typing import Final, cast

from cqrs_local.alert_rules import check_query, rule_of
from cqrs_local.alert_schedule import notify
from cqrs_local.answers import Answer, RefusedError, json_answer, message, text
from cqrs_local.backend import Backend
from cqrs_local.bodies import MANAGEMENT_BODY, field, json_body
from cqrs_local.destinations import KIND as DESTINATIONS
from cqrs_local.documents import Document
from cqrs_local.emulation import Emulation
from cqrs_local.engine import Query
from cqrs_local.folders import DEFAULT, existing_folder, folder_name
from cqrs_local.identifiers import KSUID_LENGTH, decoded_bytes, ksuid
from cqrs_local.requests import Request

KIND: Final = "alerts"
STATES: Final = "alert_states"
_LISTED: Final = ("enabled", "is_real_time", "name", "description", "trigger_condition")


async def create_alert(request: Request, backend: Backend) -> Answer:
    """A rule in a folder; another one of the same name is another rule."""
    org, folder = request.names["org"], request.query.get("folder", DEFAULT)
    existing_folder(backend.documents, org, KIND, folder)
    rule = await _rule(request, backend)
    key = ksuid()
    backend.documents.put(org, KIND, key, {"id": key, "folder": folder, "rule": rule})
    return json_answer({"code": 200, "message": "Alert saved", "id": key, "name": rule["name"]})


async def change_alert(request: Request, backend: Backend) -> Answer:
    """The whole rule anew; its stream stays."""
    key, alert = _found(request, backend)
    rule = await _rule(request, backend)
    before = cast("Document", alert["rule"])
    if (rule["stream_type"], rule["stream_name"]) != (before["stream_type"], before["stream_name"]):
        return message(400, "Stream name or stream type cannot be changed")
    backend.documents.put(request.names["org"], KIND, key, alert | {"rule": rule})
    return message(200, "Alert Updated")


async def show_alert(request: Request, backend: Backend) -> Answer:
    """One rule, with when it was last evaluated and last fired."""
    key, alert = _found(request, backend)
    org, user = request.names["org"], backend.credentials.user
    state = backend.documents.get(org, STATES, key) or {}
    own = {"id": key, "org_id": org, "owner": user, "last_edited_by": user, **_times(state)}
    return json_answer({**cast("Document", alert["rule"]), **own})


async def list_alerts(request: Request, backend: Backend) -> Answer:
    """The rules of an organisation, of one folder or with a part of a name."""
    org, query = request.names["org"], request.query
    entries = [
        _entry(request, backend, key, alert)
        for key, alert in backend.documents.listed(org, KIND)
        if _wanted(alert, query)
    ]
    size = int(query["page_size"]) if query.get("page_size", "").isdecimal() else len(entries)
    first = size * (int(query["page_idx"]) if query.get("page_idx", "").isdecimal() else 0)
    return json_answer({"list": entries[first : first + size]})


async def delete_alert(request: Request, backend: Backend) -> Answer:
    """A rule and what it remembers go."""
    key, _ = _found(request, backend)
    backend.documents.delete(request.names["org"], KIND, key)
    backend.documents.delete(request.names["org"], STATES, key)
    return message(200, "Alert deleted")


async def enable_alert(request: Request, backend: Backend) -> Answer:
    """On or off."""
    key, alert = _found(request, backend)
    enabled = request.query.get("value") == "true"
    rule = cast("Document", alert["rule"]) | {"enabled": enabled}
    backend.documents.put(request.names["org"], KIND, key, alert | {"rule": rule})
    return json_answer({"enabled": enabled})


async def trigger_alert(request: Request, backend: Backend) -> Answer:
    """Send the message now, without rows, whatever the query says."""
    key, alert = _found(request, backend)
    rule = cast("Document", alert["rule"])
    problems = await notify(backend, request.names["org"], (key, rule), ())
    if problems:
        return message(500, f" Error sending notification for {'; '.join(problems)};")
    return message(200, "Alert triggered")


async def move_alerts(request: Request, backend: Backend) -> Answer:
    """Into another folder."""
    content = json_body(await request.body(MANAGEMENT_BODY))
    org, folder = request.names["org"], field(content, "dst_folder_id", str, "a string")
    keys = cast("list[object]", field(content, "alert_ids", list, "a sequence"))
    existing_folder(backend.documents, org, KIND, folder)
    found = {str(key): backend.documents.get(org, KIND, str(key)) for key in keys}
    if None in found.values():
        return message(404, "Alert not found")
    for key, alert in found.items():
        backend.documents.put(org, KIND, key, cast("Document", alert) | {"folder": folder})
    return message(200, "Alerts moved")


async def _rule(request: Request, backend: Backend) -> Document:
    """The rule of a body, with a stream and destinations that exist and SQL that can be parsed."""
    rule = rule_of(json_body(await request.body(MANAGEMENT_BODY)), request.emulation)
    org, stream = request.names["org"], str(rule["stream_name"])
    if backend.store.catalogue.find((org, str(rule["stream_type"]), stream)) is None:
        raise RefusedError(message(404, f"Stream {stream} not found"))
    names = cast("list[str]", rule["destinations"])
    if not names:
        old = request.emulation is Emulation.V0_16
        wanted = "destinations is" if old else "destination or workflows is"
        raise RefusedError(message(400, f"Alert {wanted} required"))
    for name in names:
        _check_destination(org, name, backend)
    problem = await backend.engine.problem(Query(check_query(rule), {}, 0, 0, 1))
    if problem is not None and problem.text.startswith("SQL error:"):
        text_ = f"Error resolving stream names in SQL query: {problem.text}"
        raise RefusedError(message(500, text_))
    return rule


def _check_destination(org: str, name: str, backend: Backend) -> None:
    destination = backend.documents.get(org, DESTINATIONS, name)
    if destination is None:
        raise RefusedError(message(404, f"Alert destination {name} not found"))
    if "template" not in destination:
        raise RefusedError(message(403, f"Destination {name} is a pipeline destination"))


def _found(request: Request, backend: Backend) -> tuple[str, Document]:
    key = request.names["alert"]
    alert = backend.documents.get(request.names["org"], KIND, key)
    if alert is not None:
        return key, alert
    if len(key) == KSUID_LENGTH:
        raise RefusedError(message(404, "Alert not found"))
    if request.emulation is Emulation.V0_16:
        raise RefusedError(text(404, f"Got ksuid of unexpected length {decoded_bytes(key)}"))
    raise RefusedError(message(404, f"invalid alert id {key}"))


def _wanted(alert: Document, query: Mapping[str, str]) -> bool:
    rule = cast("Document", alert["rule"])
    asked = {
        "folder": alert["folder"],
        "stream_type": rule["stream_type"],
        "enabled": str(rule["enabled"]).lower(),
    }
    if query.get("stream_type"):
        asked["stream_name"] = rule["stream_name"]
    name = query.get("alert_name_substring", "").lower()
    return name in str(rule["name"]).lower() and all(
        not query.get(key) or query[key] == value for key, value in asked.items()
    )


def _entry(request: Request, backend: Backend, key: str, alert: Document) -> Document:
    org, rule, folder = request.names["org"], cast("Document", alert["rule"]), str(alert["folder"])
    entry: Document = {
        "alert_id": key,
        "folder_id": folder,
        "folder_name": folder_name(backend.documents, org, KIND, folder),
        "owner": backend.credentials.user,
        "condition": rule["query_condition"],
        **{name: rule[name] for name in _LISTED},
        **_times(backend.documents.get(org, STATES, key) or {}),
    }
    return entry if request.emulation is Emulation.V0_16 else entry | {"alert_type": "scheduled"}


def _times(state: Document) -> Document:
    return {
        "last_triggered_at": state.get("last_triggered_at", 0),
        "last_satisfied_at": state.get("last_satisfied_at"),
    }
