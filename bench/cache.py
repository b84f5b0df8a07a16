"""What the query cache costs and keeps, beside other caches, each in an environment of its own, all in one run.

Run with ``just bench cache``; ``--peers`` makes the peers' environments first (a minute, and needs an index), ``--charts``
writes the charts of the docs. Costs are processor time, measured in turns, and ratios within a turn; scenes are what
happens to callers. The exit code is 1 if the query cache misses a bar.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cache_charts import chart, phases
from cache_libraries import LIBRARIES

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / ".venv-bench"
IMAGES = HERE.parent / "docs" / "images"
OURS = "cqrs-swr"
PROCESSES = 4
SCENES = {
    "stampede": "stampede of 200: executions",
    "shared_stampede": f"stampede of 200 x {PROCESSES} processes: executions",
    "expiry": "blocked while answers end: share of calls",
    "outage": "outage of 4 s: share of errors, executions",
    "invalidated": "serves what was made invalid while it was computed",
    "cancelled": "followers lost with a cancelled leader",
    "failure": "keeps a Failure as a success",
    "ttl_0": "ttl=0 keeps",
    "collisions": "pairs of 6 different questions that share an entry",
    "locked": "lock of another process, 200 ms/s: p99 of an operation, of the loop's stalls, ms (idle)",
}
# What is no fault: anything else counts as missed.
GOOD: Mapping[str, Any] = {
    "stampede": 1,
    "shared_stampede": 1,
    "expiry": 0.0,
    "invalidated": False,
    "cancelled": 0.0,
    "failure": False,
    "ttl_0": False,
    "collisions": 0,
}
BARS = {"L1 / async-lru": 2.5, "L1 / cashews": 1 / 15, "L2 / diskcache": 2.0}


class Child:
    """A process with one library.

    Args:
        library: which.
        folder: what its processes share.
    """

    def __init__(self, library: str, folder: str) -> None:
        name = "ours" if library == OURS else library
        self.run = subprocess.Popen(
            [python_of(library), str(HERE / "cache_scenes.py"), name, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def tell(self, line: str) -> None:
        """Tell it what to do."""
        assert self.run.stdin is not None
        self.run.stdin.write(f"{line}\n")
        self.run.stdin.flush()

    def said(self) -> Any:
        """What it answers."""
        assert self.run.stdout is not None
        return json.loads(self.run.stdout.readline() or '"it ended"')

    def ask(self, line: str) -> Any:
        """Tell it, and give its answer."""
        self.tell(line)
        return self.said()

    def end(self) -> None:
        """Let it end."""
        self.run.communicate("\n")


def python_of(library: str) -> str:
    """The interpreter that has a library."""
    if library == OURS:
        return sys.executable
    return str(HOME / library.partition(" ")[0] / "bin" / "python")


def install() -> None:
    """Make an environment for each peer."""
    for library, (_, packages) in LIBRARIES.items():
        place = HOME / library.partition(" ")[0]
        if "disk" in library and library != "diskcache":
            continue
        subprocess.run(
            ["uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(place)], check=True
        )
        command = ["uv", "pip", "install", "--quiet", "--python", python_of(library), *packages]
        subprocess.run([*command, "attrs", "returns"], check=True)


def costs(libraries: list[str], rounds: int) -> dict[str, list[float]]:
    """What a hit costs in each library: microseconds by measure, one for each turn."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        children = {name: Child(name, folder) for name in libraries}
        for turn in range(rounds + 1):
            for name, child in children.items():
                measured = child.ask("hit")
                if turn and isinstance(measured, dict):  # the first turn warms up
                    for measure, value in measured.items():
                        found.setdefault(f"{name} {measure}", []).append(value)
        for child in children.values():
            child.end()
    return found


def scene(library: str, name: str) -> Any:
    """What happens to one library in a scene, as it is printed."""
    with tempfile.TemporaryDirectory() as folder:
        if name != "shared_stampede":
            child = Child(library, folder)
            answer = child.ask(name)
            child.end()
            return answer
        children = [Child(library, folder) for _ in range(PROCESSES)]
        ready = [child.ask(name) for child in children]
        for child in children:
            child.tell("")
        answers = [
            child.said() if word == "ready" else word for word, child in zip(ready, children, strict=True)
        ]
        for child in children:
            child.end()
        return sum(answers) if all(isinstance(answer, int) for answer in answers) else answers[0]


def shown(name: str, answer: Any) -> str:
    """An answer as a cell."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if name == "outage" and isinstance(answer, list):
        return f"{answer[0]:.0%}, {answer[1]}"
    if name == "locked" and isinstance(answer, list):
        return "n/a" if not answer else f"{answer[2]:.1f}, {answer[3]:.1f} ({answer[0]:.1f}, {answer[1]:.1f})"
    if name in ("expiry", "cancelled") and isinstance(answer, float):
        return f"{answer:.1%}"
    return str(answer)


def is_good(name: str, answer: Any) -> bool:
    """Whether a library passes a scene."""
    if name == "outage":
        return isinstance(answer, list) and answer[0] == 0 and answer[1] <= 6
    if name == "locked":
        if not isinstance(answer, list):
            return False
        return not answer or (answer[2] <= max(1.0, 2 * answer[0]) and answer[3] <= 2 * answer[1])
    return bool(answer == GOOD[name])


def main() -> int:
    """Measure, print, and say with the exit code whether a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", action="store_true", help="make the peers' environments first")
    parser.add_argument("--rounds", type=int, default=15, help="turns of the costs; medians are printed")
    parser.add_argument("--charts", action="store_true", help="write the charts of the docs")
    parser.add_argument("--scenes", default=",".join(SCENES), help="which scenes, by name; empty for none")
    arguments = parser.parse_args()
    if arguments.peers:
        install()
    libraries = [OURS, *(name for name in LIBRARIES if Path(python_of(name)).exists())]
    absent = sorted(set(LIBRARIES) - set(libraries))
    print(f"Python {sys.version.split()[0]}, load {Path('/proc/loadavg').read_text().split()[0]}")
    missed = _print_costs(costs(libraries, arguments.rounds))
    table = {
        name: {library: scene(library, name) for library in libraries}
        for name in filter(None, arguments.scenes.split(","))
    }
    for name, row in table.items():
        print(f"\n{SCENES[name]}")
        for library, answer in row.items():
            mark = " " if is_good(name, answer) else "x"
            print(f"  {mark} {library:<15} {shown(name, answer)}")
            missed += library == OURS and mark == "x"
    print("\nx: misses it." + (f" Not installed (--peers): {', '.join(absent)}." if absent else ""))
    if arguments.charts:
        _draw(table)
    return int(missed > 0)


def _print_costs(found: Mapping[str, list[float]]) -> int:
    for name, column in found.items():
        print(f"  {name:<24}{statistics.median(column):>10.2f} us   (best {min(column):.2f})")
    pairs = {
        "L1 / async-lru": (f"{OURS} L1", "async-lru hit"),
        "L1 / cashews": (f"{OURS} L1", "cashews hit"),
        "L2 / diskcache": (f"{OURS} L2", "diskcache get"),
    }
    missed = 0
    for name, (ours, theirs) in pairs.items():
        if theirs in found:
            ratio = statistics.median(a / b for a, b in zip(found[ours], found[theirs], strict=True))
            missed += ratio > BARS[name]
            print(
                f"{name:<20}{ratio:>8.3f}   bar {BARS[name]:.3f}   {'kept' if ratio <= BARS[name] else 'MISSED'}"
            )
    return missed


def _draw(table: Mapping[str, Mapping[str, Any]]) -> None:
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / "cache-phases.svg").write_text(phases())
    caption = "just bench cache: each library in an environment of its own, in one run"
    charts = {
        "shared_stampede": (
            f"Executions: 200 callers in each of {PROCESSES} processes",
            "",
            lambda answer: answer,
        ),
        "outage": (
            "Callers with an error while the source is down for 4 s",
            "%",
            lambda answer: round(100 * answer[0], 1),
        ),
        "expiry": ("Calls that wait when answers end", "%", lambda answer: round(100 * answer, 2)),
    }
    for name, (title, unit, value) in charts.items():
        if name in table:
            row = {k: value(v) for k, v in table[name].items() if isinstance(v, int | float | list)}
            (IMAGES / f"cache-{name.replace('_', '-')}.svg").write_text(chart(title, row, unit, caption))


if __name__ == "__main__":
    sys.exit(main())
