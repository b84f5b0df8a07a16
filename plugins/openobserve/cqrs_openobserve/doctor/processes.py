"""What processes that run, or ran, have written down about their telemetry: their books."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, final

import attrs
import orjson

from cqrs_openobserve.answers import one_line
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.lines import Line
from cqrs_openobserve.doctor.streams import age_text
from cqrs_openobserve.health import VERSION
from cqrs_openobserve.json_values import mapping
from cqrs_openobserve.spool import HEALTH

# Written every five seconds.
_ALIVE_S: Final = 20.0
_MOST: Final = 300
_LARGEST: Final = 1024 * 1024
_FINE: Final = frozenset({"fork_discard", "already_stopped"})


@final
@attrs.frozen
class ProcessFacts:
    """What one process has written down.

    Attributes:
        path: the file.
        ours: whether it sends to the server and organisation of these settings.
        health: the content, ``{}`` if it cannot be read.
    """

    path: str
    ours: bool
    health: Mapping[str, object]


def look(configuration: Configuration) -> tuple[ProcessFacts, ...]:
    """Read what processes have written down.

    Args:
        configuration: where.
    """
    root = configuration.spool.root
    if root is None:
        return ()
    try:
        files = sorted(root.glob(f"*/*/{HEALTH}"))
    except OSError:
        return ()
    ours = configuration.spool.destination
    return tuple(ProcessFacts(str(file), file.parent.parent.name == ours, _read(file)) for file in files)


def judge(facts: tuple[ProcessFacts, ...], now_us: int) -> list[Line]:
    """Tell how the telemetry of each process is.

    Args:
        facts: what ``look`` gave.
        now_us: µs since the Unix epoch.
    """
    if not facts:
        return [Line("ledger", "processes", "ok", "no process has written down its books")]
    return [_judged(each, now_us) for each in facts]


def _judged(facts: ProcessFacts, now_us: int) -> Line:
    health = facts.health
    name = Path(facts.path).parent.name
    written = health.get("written_at_us")
    if health.get("version") != VERSION or type(written) is not int:
        text = f"{one_line(facts.path)[:_MOST]} cannot be read"
        return Line("ledger", name, "warn", text, "it was written by another version, or is being written")
    age = (now_us - written) / 1e6
    who = f"process {health.get('pid')} ({_shown(health.get('service'))})"
    told = f"{who}, {age_text(age)} ago: {_books(health)}"
    if not facts.ours and age <= _ALIVE_S:
        where = f"{_shown(health.get('url'))}, organisation {_shown(health.get('organization'))}"
        text = f"{who} sends to {where}, which is not what these variables say"
        return Line(
            "ledger", name, "warn", text, "start it anew, or export the variables that it was started with"
        )
    outages = mapping(health.get("outages"))
    if outages and age <= _ALIVE_S:
        why = "; ".join(f"{signal} {_shown(reason)}" for signal, reason in outages.items())
        return Line("ledger", name, "fail", f"{told}; the server takes nothing: {why}", _fix(health))
    lost = _lost(health)
    if lost:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(lost.items()))
        return Line("ledger", name, "fail", f"{told}; lost: {reasons}", _fix(health))
    return Line("ledger", name, "ok", told)


def _fix(health: Mapping[str, object]) -> str:
    trouble = _shown(health.get("trouble"))
    return trouble or "cqrs openobserve verify says what is wrong with the way"


def _books(health: Mapping[str, object]) -> str:
    said: list[str] = []
    for signal, books in mapping(health.get("signals")).items():
        found = mapping(books)
        if found.get("accepted"):
            delivered, waiting = found.get("delivered"), found.get("waiting")
            said.append(
                f"{_shown(signal)} accepted {found['accepted']}, delivered {delivered}, waiting {waiting}"
            )
    return "; ".join(said) or "nothing observed yet"


def _lost(health: Mapping[str, object]) -> dict[str, int]:
    lost: dict[str, int] = {}
    for books in mapping(health.get("signals")).values():
        for reason, count in mapping(mapping(books).get("dropped")).items():
            if type(count) is int and count and reason not in _FINE:
                lost[_shown(reason)] = lost.get(_shown(reason), 0) + count
    return lost


def _shown(value: object) -> str:
    return one_line(str(value or ""))[:_MOST]


def _read(file: Path) -> Mapping[str, object]:
    try:
        if file.is_symlink() or file.stat().st_size > _LARGEST:
            return {}
        return mapping(orjson.loads(file.read_bytes()))
    except (OSError, orjson.JSONDecodeError):
        return {}
