"""What the rows of the fault catalogue share."""

import os
import signal
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
import trustme
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plugin import pipeline_of
from cqrs_openobserve.testing import ROWS, FaultServer, Received, Row


@attrs.frozen
class Authority:
    """A certificate authority of one's own.

    Attributes:
        file: what to trust.
        made: issues certificates.
    """

    file: str
    made: trustme.CA

    def context(self, host: str = "localhost", *, expired: bool = False, lead: bool = True) -> ssl.SSLContext:
        """Make a server's side of TLS.

        Args:
            host: what the certificate is for.
            expired: whether its time is over.
            lead: sign with this authority; else with one that nobody knows.
        """
        authority = self.made if lead else trustme.CA()
        over = datetime.now(UTC) - timedelta(days=1)
        certificate = authority.issue_cert(host, not_after=over) if expired else authority.issue_cert(host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that the tests trust."""
    made = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(file)
    return Authority(str(file), made)


@pytest.fixture
def outage_pipeline(configure: Callable[..., Any], tmp_path: Path) -> Iterator[Callable[..., Pipeline]]:
    """Makes pipelines with a spool of their own, whose stop is not waited for."""
    made: list[Pipeline] = []

    def make(**given: Any) -> Pipeline:
        settings = {"flush_interval": "20ms", "exit_timeout": "200ms", "spool_dir": str(tmp_path / "spool")}
        pipeline = pipeline_of(configure(**(settings | given)))
        made.append(pipeline)
        return pipeline

    yield make
    for pipeline in made:
        pipeline.stop()


def numbers_of(received: Received) -> list[int]:
    """Read the numbers of a request's records."""
    return [int(str(row["message_id"]), 16) for row in received.rows]


@pytest.fixture
def play(server: FaultServer) -> Callable[[str], Row]:
    """Has the server play a row of the catalogue from now on."""

    def play(row: str) -> Row:
        server.behave = ROWS[row].begin(numbers_of)
        return ROWS[row]

    return play


@pytest.fixture
def offer(observe: Callable[..., Any]) -> Callable[..., None]:
    """Offers dispatches with the numbers from some number on."""

    def offer(pipeline: Pipeline, count: int, start: int = 0) -> None:
        for number in range(start, start + count):
            pipeline.queue.offer(observe(number))

    return offer


@pytest.fixture
def numbers() -> Callable[[FaultServer], list[int]]:
    """Reads the numbers that a server got, in order."""
    return lambda server: sorted(int(str(row["message_id"]), 16) for row in server.delivered)


def until(done: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until something holds."""
    import time

    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


@pytest.fixture(name="until")
def _until() -> Callable[..., None]:
    """Waits until something holds."""
    return until


@pytest.fixture
def restart() -> Callable[[FaultServer], FaultServer]:
    """Makes a server that listens where another one did."""

    def restart(old: FaultServer) -> FaultServer:
        return FaultServer(old.behave, port=old.port)

    return restart


PROGRAM = """
import asyncio, json, os, signal, sys, threading, time
import attrs
from returns.result import Failure, Success
from cqrs import Command, CqrsModule, Feature
from cqrs_openobserve import Telemetry, install_signal_flush

@attrs.frozen
class Count(Command[int, str]):
    number: int

feature = Feature("counting")

@feature.handles(Count)
async def count(command: Count):
    return Success(command.number) if command.number % 10 else Failure("ten")

app = CqrsModule.for_root(feature)

async def load(bus, numbers):
    for number in numbers:
        result = await bus.commands.execute(Count(number))
        assert isinstance(result, Success) == bool(number % 10)

def entered():
    loop = asyncio.new_event_loop()
    return loop, loop.run_until_complete(app.__aenter__())

def telemetry(bus):
    return bus.container.resolve(Telemetry)

def books(bus):
    found = telemetry(bus).ledger()
    return dict(accepted=found.accepted, delivered=found.delivered, waiting=found.waiting, spooled=found.spooled,
                dropped=dict(found.dropped), balanced=found.balanced)

def say(**what):
    print(json.dumps(what), flush=True)
"""


@attrs.frozen
class Programs:
    """Runs programs that have the plugin installed and configured.

    Attributes:
        spool: where their spool is.
    """

    spool: Path

    def start(self, url: str, body: str, **env: str) -> "subprocess.Popen[str]":
        """Start one.

        Args:
            url: the server.
            body: what it does, after the preparations above.
            env: more variables.
        """
        variables = {
            "PATH": os.environ["PATH"],
            "OPENOBSERVE_URL": url,
            "OPENOBSERVE_TOKEN": "user:s3cret-canary",
            "OPENOBSERVE_SPOOL_DIR": str(self.spool),
            "OPENOBSERVE_METRICS_ENABLED": "false",
            "OPENOBSERVE_TRACING_ENABLED": "false",
            "CQRS_PLUGINS": "openobserve",
            **env,
        }
        command = [sys.executable, "-c", PROGRAM + textwrap.dedent(body)]
        return subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, url: str, body: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run one to its end.

        Args:
            url: the server.
            body: what it does.
            env: more variables.
        """
        with self.start(url, body, **env) as process:
            out, err = process.communicate(timeout=600)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def ready(self, process: "subprocess.Popen[str]") -> str:
        """Wait for a program's next line.

        Args:
            process: which program.
        """
        assert process.stdout is not None
        return process.stdout.readline()

    def die(self, process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> tuple[str, str]:
        """Send a signal and wait for the end; gives what it printed.

        Args:
            process: which program.
            number: the signal.
        """
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        return out, err


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Programs whose spool is this test's own."""
    return Programs(tmp_path / "spool")


@pytest.fixture
def heavy() -> int:
    """How many times the usual; FAULTS_HEAVY=1 asks for the full number of rounds."""
    return 10 if os.environ.get("FAULTS_HEAVY") else 1
