"""The settings of a stream: what they are without a word, and how a delta changes them (pure)."""

from collections.abc import Iterable, Mapping
from typing import Final, cast

from returns.result import Failure, Result, Success

from cqrs_local.emulation import Emulation

_NEWER: Final = frozenset(["is_llm_stream", "storage_type"])
Settings = Mapping[str, object]

_DEFAULTS: Final[Settings] = {
    "partition_keys": {},
    "full_text_search_keys": [],
    "index_fields": [],
    "bloom_filter_fields": [],
    "distinct_value_fields": [],
    "data_retention": 0,
    "max_query_range": 0,
    "store_original_data": False,
    "approx_partition": False,
    "index_updated_at": 0,
    "extended_retention_days": [],
    "index_original_data": False,
    "index_all_values": False,
    "enable_distinct_fields": False,
    "enable_log_patterns_extraction": False,
    "is_llm_stream": False,
    "storage_type": "normal",
}


def complete(
    settings: Settings, *, by_ingestion: bool, kind: str = "logs", emulation: Emulation = Emulation.NEWEST
) -> dict[str, object]:
    """All settings of a stream, as GET …/schema gives them."""
    known = {**_DEFAULTS, "enable_distinct_fields": by_ingestion, **settings}
    if emulation is Emulation.V0_16:
        level = "daily" if kind == "metrics" else "hourly"
        known = {name: value for name, value in known.items() if name not in _NEWER}
        known["partition_time_level"] = level
    return known


def unknown_field(settings: Settings, columns: Iterable[str]) -> str | None:
    """The first field that a list in the settings names and no column has (0.16 looks)."""
    known = set(columns)
    named = [
        str(field)
        for name in ("full_text_search_keys", "index_fields", "bloom_filter_fields")
        for field in cast("list[object]", settings.get(name) or [])
    ]
    return next((field for field in named if field not in known), None)


def changed(settings: Settings, delta: Settings) -> Result[dict[str, object], str]:
    """The settings after a delta: lists take `add` and `remove`, anything else is replaced.

    Adds are not de-duplicated: a client has to look first, as with the server.
    """
    after = dict(settings)
    for name, change in delta.items():
        if not isinstance(change, dict):
            after[name] = change
            continue
        parts = cast("Mapping[str, object]", change)
        add, remove = parts.get("add", []), parts.get("remove", [])
        if set(parts) - {"add", "remove"} or not isinstance(add, list) or not isinstance(remove, list):
            return Failure(f"setting [{name}] takes lists under add and remove")
        after[name] = _merged(
            name, after.get(name, []), cast("list[object]", add), cast("list[object]", remove)
        )
    return Success(after)


def _merged(name: str, before: object, add: list[object], remove: list[object]) -> object:
    if name == "partition_keys":
        keys = dict(cast("Mapping[str, object]", before or {}))
        for entry in remove:
            keys = {level: key for level, key in keys.items() if _field_of(key) != _field_of(entry)}
        return keys | {f"L{len(keys) + at}": entry for at, entry in enumerate(add)}
    kept = [entry for entry in cast("list[object]", before) if entry not in remove]
    return [*kept, *add]


def _field_of(key: object) -> object:
    return cast("Mapping[str, object]", key).get("field") if isinstance(key, dict) else key
