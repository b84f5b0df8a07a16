"""What a dashboard must hold, and the form the server stores (pure)."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, cast

import orjson

from cqrs_local.answers import RefusedError, message, text
from cqrs_local.bodies import WRONG, JsonObject
from cqrs_local.documents import Document
from cqrs_local.emulation import Emulation

_NEWEST_VERSION: Final = {Emulation.V0_16: 5, Emulation.NEWEST: 8}
_LISTED_VERSIONS: Final = {Emulation.V0_16: 7, Emulation.NEWEST: 8}
_PANEL: Final = ("id", "type", "title", "description", "config", "queries", "layout")
_CONFIG: Final = {"legends_position": None, "unit": None, "base_map": None, "map_view": None}
_AXIS: Final = ("label", "alias", "column")
_COLUMN_IS_OPTIONAL: Final = 8
_LAYOUT: Final = ("x", "y", "w", "h", "i")


def dashboard_of(content: JsonObject, emulation: Emulation) -> Document:
    """The dashboard that a body describes, complete with what it leaves out.

    Args:
        content: the body.
        emulation: which schema versions are known.

    Raises:
        RefusedError: a part is missing or of another type (422), its version unknown (400), or it has no
            title (500).
    """
    version = _version(content, emulation)
    if "title" in content and not isinstance(content["title"], str):
        raise RefusedError(text(422, f"{WRONG}title: invalid type, expected a string"))
    if not str(content.get("title") or "").strip():
        raise RefusedError(message(500, "Dashboard should have title"))
    axis = _AXIS if version < _COLUMN_IS_OPTIONAL else _AXIS[:2]
    tabs = [_tab(tab, axis) for tab in _list(content, "tabs")] if "tabs" in content else []
    _check_variables(content)
    return {
        "role": "",
        **content,
        "version": version,
        "title": content["title"],
        "description": content.get("description") or "",
        "tabs": tabs,
    }


def encoded(dashboard: Document, emulation: Emulation) -> Document:
    """The form of an answer: the dashboard under its version, and the hash that a change has to name."""
    version = cast("int", dashboard["version"])
    versions = {f"v{number}": None for number in range(1, _LISTED_VERSIONS[emulation] + 1)}
    return {
        **versions,
        f"v{version}": dashboard,
        "version": version,
        "hash": hash_of(dashboard),
        "updatedAt": 0,
    }


def hash_of(dashboard: Document) -> str:
    """The digits of a number of 64 bits that another content has another of."""
    content = orjson.dumps(dashboard, option=orjson.OPT_SORT_KEYS)
    return str(int.from_bytes(blake2b(content, digest_size=8).digest()))


def _version(content: JsonObject, emulation: Emulation) -> int:
    newest = _NEWEST_VERSION[emulation]
    version = content.get("version", newest if emulation is Emulation.NEWEST else 1)
    if not isinstance(version, int) or isinstance(version, bool):
        raise RefusedError(text(422, f"{WRONG}version: invalid type, expected i32"))
    if not 1 <= version <= newest:
        raise RefusedError(text(422, f"{WRONG}unsupported version: {version}"))
    return version


def _check_variables(content: JsonObject) -> None:
    if not isinstance(content.get("variables"), dict):
        return
    variables = _map(content, "variables")
    for variable in _list(variables, "list") if "list" in variables else ():
        if isinstance(variable.get("value"), list):
            raise RefusedError(text(422, f"{WRONG}variables.list[].value: invalid type: sequence"))


def _tab(tab: JsonObject, axis: Sequence[str]) -> Document:
    _need(tab, ("tabId", "name"))
    panels = [_panel(panel, axis) for panel in _list(tab, "panels")] if "panels" in tab else []
    return {**tab, "panels": panels}


def _panel(panel: JsonObject, axis: Sequence[str]) -> Document:
    _need(panel, _PANEL)
    config, layout = _map(panel, "config"), _map(panel, "layout")
    _need(config, ("show_legends",))
    for name in _LAYOUT:
        if not isinstance(layout.get(name, 0), int):
            raise RefusedError(text(422, f"{WRONG}invalid number"))
    queries = _list(panel, "queries")
    for query in queries:
        _check_query(query, axis)
    return {"queryType": "", **panel, "config": {**_CONFIG, **config}, "queries": queries}


def _check_query(query: JsonObject, axis: Sequence[str]) -> None:
    _need(query, ("customQuery", "fields", "config"))
    fields = _map(query, "fields")
    _need(_map(query, "config"), ("promql_legend",))
    _need(fields, ("stream", "stream_type", "x", "y", "filter"))
    _need(_map(fields, "filter"), ("filterType", "logicalOperator", "conditions"))
    for item in (*_list(fields, "x"), *_list(fields, "y")):
        _need(item, axis)


def _need(content: JsonObject, names: Sequence[str]) -> None:
    missing = next((name for name in names if content.get(name) is None), None)
    if missing is not None:
        raise RefusedError(text(422, f"{WRONG}missing field `{missing}`"))


def _map(content: JsonObject, name: str) -> JsonObject:
    value = content[name]
    if not isinstance(value, dict):
        raise RefusedError(text(422, f"{WRONG}invalid type of `{name}`, expected a map"))
    return cast("Mapping[str, object]", value)


def _list(content: JsonObject, name: str) -> list[JsonObject]:
    value = content[name]
    entries = cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(isinstance(entry, dict) for entry in entries):
        raise RefusedError(text(422, f"{WRONG}invalid type of `{name}`, expected a sequence of maps"))
    return cast("list[JsonObject]", entries)
