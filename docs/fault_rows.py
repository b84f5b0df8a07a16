"""The fault catalogue as a page, read from its tests: a row is what a test's name and docstring say."""  # noqa: INP001 - beside a script, run by its path

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

GROUPS: Final = {
    "A": "The network and the server",
    "B": "The process",
    "C": "The query cache",
    "D": "Messages and events",
    "E": "Plugins",
    "F": "Settings",
    "G": "Hostile values",
    "H": "Abuse",
}
_TEST: Final = re.compile(r"test_([a-h])(\d+)_(\w+)")
_OWN_NUMBER: Final = re.compile(r"[A-H]\d+: ")

PAGE: Final = """# What happens when things break

Whatever goes wrong with telemetry, the app sees nothing of it: no exception, no delay, no other `Result`. Every record is
delivered, waits, lies in the spool, or is counted with the reason why it will not arrive:

`accepted == delivered + waiting + spooled + Σ dropped[reason]`

`Telemetry.ledger()` and `app.health()` tell it at any time, one WARNING a minute tells each reason of a loss, and one line
on stderr tells it at the end of the program.

Whatever happens to the query cache and its folder, no query fails for it or gets a wrong value: what cannot be read is
computed, and counted.

Whatever a handler, a subscriber or a plugin does, a dispatch has exactly one outcome, a failing subscriber stops no other,
and the app runs on; only what ends a program (`KeyboardInterrupt`, `SystemExit`, a cancellation) passes.

Each row below is a test named by its number, and is read from it: of messages, events, plugins and the settings of an app
under `tests/faults`, of telemetry under `plugins/openobserve/tests/faults`, of the cache under `plugins/swr/tests/faults`.
Those of groups B, C and E run real processes on real files. `./dev faults-heavy` repeats the ones with many rounds in
full: 200 forks under load, 10 000 random steps of a life, 50 writers killed, a lock held for 30 s.

## What may be lost

| what happens | lost at most |
|---|---|
| the server is away, for hours | nothing within `OPENOBSERVE_SPOOL_SIZE` and 4 h 50 min, the age from which on the server refuses records |
| the program ends meanwhile | nothing: what is not delivered lies in the spool for the next process that sends to the same server and organisation |
| `kill -9`, or SIGTERM without `install_signal_flush()` | what was not sent and not yet spooled: with a server that answers, what came within `OPENOBSERVE_FLUSH_INTERVAL`, at most `OPENOBSERVE_BATCH_SIZE` records and the request under way; during an outage the same without the request |
| `os._exit()` in a child | the same |
| power fails | also what the system had not yet written to disk: files are not synced |
| without a spool (`none`, no HOME, a read-only file system, Windows) | what does not fit into memory, as `queue_full`, and what is not delivered within `OPENOBSERVE_EXIT_TIMEOUT` |

A request whose answer never came may have been stored, and is sent again. Both copies carry the same `record_id`:
`SELECT record_id, min(…) … GROUP BY record_id` counts each once; `ambiguous` in the ledger says how many records that can
concern.
"""


class Row(NamedTuple):
    """One test of the catalogue."""

    group: str
    number: int
    fault: str
    outcome: str


def faults(note: str, *folders: Path) -> str:
    """The page.

    Args:
        note: says that it is generated.
        folders: where the tests of the catalogue are.
    """
    paths = [path for folder in folders for path in sorted(folder.glob("test_group_*.py"))]
    rows = sorted(row for path in paths for row in _rows(path))
    groups = sorted({row.group for row in rows})
    return note + PAGE + "".join(_table(group, [r for r in rows if r.group == group]) for group in groups)


def _table(group: str, rows: Iterable[Row]) -> str:
    head = f"\n## {group}. {GROUPS[group]}\n\n| row | fault | what holds |\n|---|---|---|\n"
    return head + "".join(f"| {row.group}{row.number} | {row.fault} | {row.outcome} |\n" for row in rows)


def _rows(path: Path) -> Iterator[Row]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        found = _TEST.fullmatch(node.name)
        if found is not None:
            claim = (ast.get_docstring(node) or "").partition("\n\n")[0]
            outcome = " ".join(_OWN_NUMBER.sub("", claim, count=1).split()).replace("|", "\\|")
            # What followed the number is the beginning here.
            outcome = outcome[:1].upper() + outcome[1:]
            yield Row(found[1].upper(), int(found[2]), found[3].replace("_", " "), outcome)
