"""The plugin's settings, each an environment variable; every time is in seconds."""

import re
from pathlib import Path
from typing import Final, final

import attrs

from cqrs.settings import Invalid, boolean, checked, number, setting

_SIZE: Final = re.compile(r"([0-9]+) ?(B|KiB|MiB|GiB)?", re.ASCII)
_UNITS: Final = {None: 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_LEAST_SIZE: Final = 1024**2
_MOST_SIZE: Final = 1024**4
_YEAR: Final = 365 * 24 * 3600.0


def _folder(raw: str) -> Path:
    path = Path(raw)
    if not path.is_absolute():
        raise Invalid("is not an absolute path")
    return path


def _size(raw: str) -> int:
    match = _SIZE.fullmatch(raw)
    size = int(match[1]) * _UNITS[match[2]] if match is not None and len(match[1]) <= 15 else 0
    if not _LEAST_SIZE <= size <= _MOST_SIZE:
        raise Invalid("is not a size from 1MiB to 1024GiB")
    return size


@final
@attrs.frozen
class Settings:
    """What can be set; a window that is not set is left to the policies, which is another thing than 0."""

    enabled: bool = setting(
        "CQRS_SWR_ENABLED",
        boolean(),
        doc="Whether queries with a policy are cached.",
        example="false",
        default=True,
    )
    ttl: float | None = setting(
        "CQRS_SWR_TTL",
        number(0, _YEAR),
        doc="Seconds for which an answer is fresh, for policies that do not say; 0 caches nothing.",
        example="30",
        default=None,
    )
    stale: float | None = setting(
        "CQRS_SWR_STALE",
        number(0, _YEAR),
        doc="Seconds after that in which it is served while it is refreshed, for policies that do not say.",
        example="300",
        default=None,
    )
    fail_safe: float | None = setting(
        "CQRS_SWR_FAIL_SAFE",
        number(0, _YEAR),
        doc="Seconds after freshness in which it is served if refreshing fails, for policies that do not say.",
        example="3600",
        default=None,
    )
    dir: Path | None = setting(
        "CQRS_SWR_DIR",
        checked("absolute path", _folder),
        doc="Folder that the processes of one machine share; each process keeps its own answers if it is not set.",
        example="/var/cache/orders",
        default=None,
    )
    size_limit: int = setting(
        "CQRS_SWR_SIZE_LIMIT",
        checked("size", _size),
        doc="The most that the folder may hold; without a unit, bytes.",
        example="256MiB",
        default=1024**3,
    )
    coherence: float = setting(
        "CQRS_SWR_COHERENCE",
        number(0, 3600),
        doc="Seconds within which a process sees what another one made invalid.",
        example="0.2",
        default=1.0,
    )
