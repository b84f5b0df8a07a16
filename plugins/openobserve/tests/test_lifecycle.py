"""What happens at exit and at a fork, each in a real process of its own."""

import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from cqrs_openobserve.lifecycle import Supervised, tell
from cqrs_openobserve.testing import Behaviour, Drip, FaultServer, Hang, Received, Reply, Reset, stored

PROGRAM = """
import asyncio, json, os, sys, time
import attrs
from returns.result import Failure, Success
from cqrs import Command, CqrsModule, Feature
from cqrs_openobserve import Telemetry

@attrs.frozen
class Count(Command[int, str]):
    number: int

feature = Feature("counting")

@feature.handles(Count)
async def count(command: Count):
    return Success(command.number) if command.number % 10 else Failure("ten")

app = CqrsModule.for_root(feature)

def books(bus):
    ledger = bus.container.resolve(Telemetry).ledger()
    return dict(accepted=ledger.accepted, delivered=ledger.delivered, waiting=ledger.waiting,
                dropped=dict(ledger.dropped), balanced=ledger.balanced)
"""


def run(url: str, body: str, **env: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a program with the plugin installed and configured; gives it and how long it took."""
    variables = {
        "PATH": os.environ["PATH"],
        "OPENOBSERVE_URL": url,
        "OPENOBSERVE_TOKEN": "user:s3cret-canary",
        "CQRS_PLUGINS": "openobserve",
        "OPENOBSERVE_SPOOL_DIR": "none",
        "OPENOBSERVE_METRICS_ENABLED": "false",
        "OPENOBSERVE_TRACING_ENABLED": "false",
        **env,
    }
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + textwrap.dedent(body)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    return done, time.monotonic() - began


LOAD = """
async def main():
    async with app as bus:
        results = [await bus.commands.execute(Count(n)) for n in range(1000)]
        assert [type(r).__name__ for r in results].count("Failure") == 100
        left.extend([bus, time.time()])

left = []
asyncio.run(main())
print(json.dumps(books(left[0]) | {"left": left[1]}))
"""


def test_an_app_that_ends_has_delivered_everything() -> None:
    """With a healthy server, leaving the app delivers every record and nothing is said."""
    with FaultServer() as server:
        done, _ = run(server.url, LOAD)

    assert done.stderr == ""
    assert json.loads(done.stdout)["delivered"] == len(server.delivered) == 1000


@pytest.mark.parametrize("fault", [Hang(), Drip(), Reply(503), Reset(), None], ids=str)
def test_a_bad_server_holds_up_no_exit(fault: Behaviour | None) -> None:
    """Dead, hanging or dripping: results unchanged, the exit in its time, books balanced, one line on stderr.

    From the last statement inside the app to the end of the process. The limit is half its default here, so that a busy
    machine has time for the rest; `just bench telemetry` measures the default's 2.5 s.
    """
    with FaultServer(lambda _: fault or Reset()) as server:
        if fault is None:
            server.close()
        done, _ = run(server.url, LOAD, OPENOBSERVE_EXIT_TIMEOUT="1s")
        ended = time.time_ns() / 1e9

    printed = json.loads(done.stdout)
    assert done.returncode == 0
    assert ended - printed["left"] < 2.5
    assert printed["balanced"]
    assert printed["dropped"] == {"shutdown_timeout": 1000}
    assert [line for line in done.stderr.splitlines() if "were not delivered" in line] == [
        done.stderr.splitlines()[-1]
    ]
    assert "1000 of 1000" in done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cret-canary" not in done.stderr + done.stdout


def test_exit_is_bounded_without_leaving_the_app() -> None:
    """A program that never leaves the app still ends in time, and says what was lost."""
    with FaultServer(lambda _: Hang()) as server:
        done, seconds = run(
            server.url,
            """
            async def main():
                bus = await app.__aenter__()
                for n in range(500):
                    await bus.commands.execute(Count(n))
            asyncio.run(main())
            """,
            OPENOBSERVE_EXIT_TIMEOUT="2s",
        )

    assert seconds < 15, "a bound, on a machine that may be busy; without one it is half a minute"
    assert "500 of 500 records were not delivered" in done.stderr


def test_exit_delivers_without_leaving_the_app() -> None:
    """The same with a healthy server delivers everything."""
    with FaultServer() as server:
        done, _ = run(
            server.url,
            """
            async def main():
                bus = await app.__aenter__()
                for n in range(500):
                    await bus.commands.execute(Count(n))
            asyncio.run(main())
            """,
        )

    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.delivered) == 500


def test_a_server_that_dies_half_way_changes_no_result() -> None:
    """Stopped in the middle of a load: no exception, every Result, the books balance, one line says what is lost."""
    taken = [10]

    def behave(received: Received) -> Behaviour:
        if taken[0] <= 0:
            return Reset()
        taken[0] -= 1
        return stored(len(received.rows))

    with FaultServer(behave) as server:
        done, _ = run(
            server.url,
            """
            async def main():
                async with app as bus:
                    for n in range(20000):
                        result = await bus.commands.execute(Count(n))
                        assert (type(result).__name__ == "Success") == bool(n % 10)
                        if n % 1000 == 0:
                            await asyncio.sleep(0.01)
                    left.extend([bus, time.time()])
            left = []
            asyncio.run(main())
            print(json.dumps(books(left[0]) | {"left": left[1]}))
            """,
            OPENOBSERVE_EXIT_TIMEOUT="1s",
        )
        ended = time.time_ns() / 1e9

    printed = json.loads(done.stdout)
    assert done.returncode == 0
    assert ended - printed["left"] < 2.5
    assert len([line for line in done.stderr.splitlines() if "were not delivered" in line]) == 1
    assert printed["balanced"]
    assert (printed["accepted"], printed["waiting"]) == (20000, 0)
    assert 0 < printed["delivered"] < 20000
    assert f"{20000 - printed['delivered']} of 20000 records were not delivered" in done.stderr


FORK = """
async def main():
    async with app as bus:
        for n in range(50):
            await bus.commands.execute(Count(n))
        child = os.fork()
        if child == 0:
            before = books(bus)
            for n in range(100, 130):
                await bus.commands.execute(Count(n))
            report = bus.container.resolve(Telemetry).flush(5)
            print(json.dumps({"before": before, "after": books(bus)}), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        for n in range(50, 60):
            await bus.commands.execute(Count(n))
        bus.container.resolve(Telemetry).flush(5)
        print(json.dumps({"parent": books(bus)}), flush=True)
asyncio.run(main())
"""


def test_a_fork_neither_loses_nor_doubles() -> None:
    """The child discards its copy of the queue, counted, and sends its own records under an id of its own."""
    with FaultServer() as server:
        done, _ = run(server.url, FORK, OPENOBSERVE_FLUSH_INTERVAL="60s")
    child, parent = (json.loads(line) for line in done.stdout.splitlines())

    assert child["before"]["dropped"] == {"fork_discard": 50}
    assert child["before"]["balanced"]
    assert child["after"] == child["before"] | {"accepted": 80, "delivered": 30}
    assert parent["parent"] == {
        "accepted": 60,
        "delivered": 60,
        "waiting": 0,
        "dropped": {},
        "balanced": True,
    }
    rows = server.delivered
    assert len(rows) == len({row["record_id"] for row in rows}) == 90
    assert len({row["service_instance_id"] for row in rows}) == 2
    assert len({row["span_id"] for row in rows}) == 90


def test_children_of_multiprocessing_deliver() -> None:
    """They end without atexit, and still send what they recorded."""
    with FaultServer() as server:
        done, _ = run(
            server.url,
            """
            import multiprocessing
            loop = asyncio.new_event_loop()
            bus = loop.run_until_complete(app.__aenter__())

            async def load(count):
                for n in range(count):
                    await bus.commands.execute(Count(n))

            def work():
                asyncio.new_event_loop().run_until_complete(load(50))

            loop.run_until_complete(load(1))
            child = multiprocessing.get_context("fork").Process(target=work)
            child.start()
            child.join()
            print(child.exitcode)
            """,
        )

    assert done.stdout.strip() == "0"
    assert len(server.delivered) == 51


def test_a_step_that_raises_is_told_and_repeated() -> None:
    """A supervised thread survives whatever its step raises, and ends when the step says so."""
    steps = iter([RuntimeError("a"), SystemExit(3), None])
    told: list[str] = []

    def step() -> bool:
        error = next(steps)
        if error is not None:
            raise error
        return False

    thread = Supervised("t", step, lambda error: told.append(type(error).__name__))
    thread.start()
    thread.join(5)

    assert not thread.alive
    assert told == ["RuntimeError", "SystemExit"]


def test_a_thread_does_not_wait_for_itself() -> None:
    """Stopping from inside the thread does not hang."""
    joined = threading.Event()
    told: list[BaseException] = []

    def step() -> bool:
        thread.join(5)
        joined.set()
        return False

    thread = Supervised("t", step, told.append)
    thread.start()

    assert joined.wait(2)
    thread.join(5)


def test_the_line_at_exit_survives_a_closed_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there to read it is no reason to fail."""
    monkeypatch.setattr(sys, "stderr", None)
    tell("x")
    closed = open(os.devnull, "w")  # noqa: SIM115, PTH123 - closed on the next line
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    tell("x")
