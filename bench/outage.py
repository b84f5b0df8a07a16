"""What is lost while the server misbehaves: the plugin beside the exporters of the OpenTelemetry SDK, in one run.

Run with ``just bench outage``. Each row starts three programs at once, each with a server of its own and with nothing
configured but its address: one dispatches commands with the plugin, one makes spans, one makes log records. All observe
500 times a second: 4 s with a server that is well, then the fault, then 8 s with a server that is well again, then they
end as programs end. The last row kills them with SIGKILL in the middle of an outage and starts them again.

Exit status 1 if the plugin lost a record that it does not count, lost one in an outage, or stored one twice beyond a
payload; ``--chart FILE`` draws what was lost.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final

import attrs
from outage_chart import chart
from outage_sinks import FAULTS, Fault, Sink

RATE: Final = 500.0
BEFORE_S: Final = 4.0
AFTER_S: Final = 8.0
BATCH: Final = 100
LARGEST_PAYLOAD: Final = 1_000
NAMES: Final = {"ours": "returns-cqrs", "spans": "OTel spans", "logs": "OTel logs"}
PROGRAM: Final = Path(__file__).with_name("outage_program.py")


@attrs.frozen
class Outcome:
    """What became of the records of one program.

    Attributes:
        sent: how many there were.
        arrived: how many the server has, each counted once.
        twice: how many it has more than once.
        counted: how many the program itself says are lost; None if it says nothing.
        longest_ms: the longest that one of them took its caller.
        exit_s: from the last of them to the end of the process.
        kept: how many lie in the spool, from where the next process sends them.
    """

    sent: int
    arrived: int
    twice: int
    counted: int | None = None
    longest_ms: float | None = None
    exit_s: float | None = None
    kept: int = 0

    @property
    def lost(self) -> int:
        """How many did not arrive and will not."""
        return self.sent - self.arrived - self.kept


class Program:
    """One of the programs, running."""

    def __init__(self, kind: str, url: str, seconds: float, folder: Path) -> None:
        self._counter = folder / f"{kind}.count"
        self._counter.write_bytes(bytes(8))
        arguments = [kind, url, str(RATE), str(seconds), str(self._counter)]
        env = {**os.environ, "OPENOBSERVE_SPOOL_DIR": str(folder / "spool"), "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
        )
        if self._out.readline() != "ready\n":
            raise SystemExit(f"the program {kind!r} did not start")

    @property
    def _out(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def sent(self) -> int:
        """How many it has sent."""
        return int(struct.unpack("q", self._counter.read_bytes())[0])

    def go(self) -> None:
        """Begin."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def kill(self) -> int:
        """End it with SIGKILL; says how many it had sent."""
        self._process.kill()
        self._process.wait()
        self._out.close()
        return self.sent

    def end(self) -> tuple[Mapping[str, float], float]:
        """What it says at its end, and how long it takes it from there."""
        told: Mapping[str, float] = json.loads(self._out.readline())
        self._process.wait()
        took = time.clock_gettime(time.CLOCK_REALTIME) - told["at"]
        self._out.close()
        return told, took


def ended(programs: Mapping[str, Program]) -> dict[str, tuple[Mapping[str, float], float]]:
    """Wait for all of them at once."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(programs, pool.map(Program.end, programs.values()), strict=True))


def measured(fault: Fault) -> dict[str, Outcome]:
    """One row."""
    with tempfile.TemporaryDirectory(prefix="bench-outage-") as folder:
        sinks = {kind: Sink(kind) for kind in NAMES}
        seconds = BEFORE_S + fault.seconds + AFTER_S
        programs = {k: Program(k, sink.url, seconds, Path(folder)) for k, sink in sinks.items()}
        for program in programs.values():
            program.go()
        time.sleep(BEFORE_S)
        for sink in sinks.values():
            sink.begin(fault)
        time.sleep(fault.seconds)
        for sink in sinks.values():
            sink.end()
        told = ended(programs)
        for sink in sinks.values():
            sink.close()
        kept = {"ours": spooled(Path(folder))}
    return {kind: outcome(sinks[kind], *told[kind], kept.get(kind, 0)) for kind in NAMES}


def spooled(folder: Path) -> int:
    """How many records the plugin left in its spool."""
    return sum(int(file.name.split("-")[1]) for file in folder.glob("spool/**/*-logs-*.payload"))


def outcome(sink: Sink, told: Mapping[str, float], exit_s: float, kept: int) -> Outcome:
    """Count what arrived at a server."""
    arrived = sink.arrived()
    return Outcome(
        sent=int(told["sent"]),
        arrived=len(arrived),
        twice=sum(copies > 1 for copies in arrived.values()),
        counted=int(told["lost"]) if "lost" in told else None,
        longest_ms=told["longest_ms"],
        exit_s=exit_s,
        kept=kept,
    )


def killed() -> dict[str, Outcome]:
    """Two seconds of a server that is well, two without one, SIGKILL, and two with the server and the program back."""
    with tempfile.TemporaryDirectory(prefix="bench-outage-") as folder:
        sinks = {kind: Sink(kind) for kind in NAMES}
        first = {k: Program(k, sink.url, 60, Path(folder)) for k, sink in sinks.items()}
        for program in first.values():
            program.go()
        time.sleep(2)
        for sink in sinks.values():
            sink.begin(FAULTS[0])
        time.sleep(2)
        before = {kind: program.kill() for kind, program in first.items()}
        for sink in sinks.values():
            sink.end()
        again = {k: Program(k, sink.url, 2, Path(folder)) for k, sink in sinks.items()}
        for program in again.values():
            program.go()
        told = ended(again)
        for sink in sinks.values():
            sink.close()
    rows: dict[str, Outcome] = {}
    for kind, sink in sinks.items():
        arrived, sent = sink.arrived(), before[kind] + int(told[kind][0]["sent"])
        if kind == "logs":  # counts from 0 in both lives
            rows[kind] = Outcome(sent, arrived.total(), 0)
        else:
            rows[kind] = Outcome(sent, len(arrived), sum(n > 1 for n in arrived.values()))
    return rows


def broken(name: str, own: Outcome) -> list[str]:
    """What the plugin promises and did not keep in one row."""
    said: list[str] = []
    refused = name == "200, every record refused"
    if name == KILLED and own.lost > BATCH:
        said.append(f"{name}: {own.lost} lost by kill -9, more than a batch")
    elif name != KILLED and own.lost != own.counted:
        said.append(f"{name}: {own.lost} lost, {own.counted} counted")
    elif name != KILLED and bool(own.lost) != refused:
        said.append(f"{name}: {own.lost} lost")
    if own.twice > LARGEST_PAYLOAD:
        said.append(f"{name}: {own.twice} stored twice, more than a payload")
    return said


KILLED: Final = "kill -9 in an outage"


def table(rows: Mapping[str, Mapping[str, Outcome]]) -> list[str]:
    """The table in Markdown."""
    lines = [
        "| fault | sent | "
        + " | ".join(f"{name} lost" for name in NAMES.values())
        + " | ours twice | longest call ms"
        " (ours, spans, logs) | exit s |",
        "|-|-|" + "-|" * len(NAMES) + "-|-|-|",
    ]
    for fault, row in rows.items():
        lost = " | ".join(told(row[kind]) for kind in NAMES)
        calls = ", ".join("" if o.longest_ms is None else f"{o.longest_ms:.1f}" for o in row.values())
        exits = ", ".join("" if o.exit_s is None else f"{o.exit_s:.1f}" for o in row.values())
        lines.append(f"| {fault} | {row['ours'].sent} | {lost} | {row['ours'].twice} | {calls} | {exits} |")
    return lines


def told(one: Outcome) -> str:
    """How many were lost, and whether anybody said so."""
    counted = ", all counted" if one.lost and one.lost == one.counted else ""
    return f"{one.lost}{counted}{f' ({one.kept} kept)' if one.kept else ''}"


def run(faults: Sequence[Fault]) -> dict[str, dict[str, Outcome]]:
    """Every row."""
    rows: dict[str, dict[str, Outcome]] = {}
    for fault in faults:
        name = f"{fault.name}, {fault.seconds:g} s"
        print(f"{name} …", flush=True)
        rows[fault.name] = measured(fault)
        print(
            "  " + "; ".join(f"{NAMES[k]} {told(o)} of {o.sent}" for k, o in rows[fault.name].items()),
            flush=True,
        )
    print(f"{KILLED} …", flush=True)
    rows[KILLED] = killed()
    return rows


def main() -> int:
    """Run the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chart", type=Path, help="draw what was lost into this SVG file")
    parser.add_argument("--only", help="the rows whose name contains this, and the last")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"Python {sys.version.split()[0]}, load {load:.1f} on {os.cpu_count()} processors")
    rows = run([fault for fault in FAULTS if (arguments.only or "") in fault.name])
    print("\n" + "\n".join(table(rows)))
    if arguments.chart:
        bars = {
            fault: {NAMES[kind]: (one.sent, one.lost, told(one)) for kind, one in row.items()}
            for fault, row in rows.items()
        }
        versions = f"opentelemetry-sdk {version('opentelemetry-sdk')}, Python {sys.version.split()[0]}"
        arguments.chart.write_text(chart(bars, f"just bench outage: 500 records a second; {versions}"))
    failures = [line for name, row in rows.items() for line in broken(name, row["ours"])]
    print("\n" + ("\n".join(failures) if failures else "every promise was kept"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
