"""Group B of the fault catalogue: how a process ends. One test per row, most with real processes."""

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.testing import Behaviour, Drip, FaultServer, Hang, Reply, stored

Make = Callable[..., Pipeline]
Observe = Callable[..., Observation]


def numbers(server: FaultServer) -> list[int]:
    return [int(str(row["message_id"]), 16) for row in server.delivered]


def ids(server: FaultServer) -> list[str]:
    return [str(row["record_id"]) for row in server.delivered]


def printed(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


LOAD = """
async def main():
    async with app as bus:
        await load(bus, range(500))
        left.append(bus)
left = []
asyncio.run(main())
say(books=books(left[0]), at=time.monotonic())
"""


def test_b1_a_normal_end(programs: Any) -> None:
    """With a healthy server: everything is delivered, nothing is said, nothing stays behind."""
    with FaultServer() as server:
        done = programs.run(server.url, LOAD, OPENOBSERVE_EXIT_TIMEOUT="10s")
        assert done.returncode == 0
        assert "cqrs-openobserve:" not in done.stderr
        assert len(set(ids(server))) == len(server.delivered) == 500
    (said,) = printed(done.stdout)
    assert said["books"]["delivered"] == 500
    assert list(programs.spool.rglob("*.payload")) == []


@pytest.mark.parametrize("fault", [Hang(), Drip(), Reply(503), None], ids=["hang", "drip", "503", "dead"])
@pytest.mark.parametrize("spooling", [True, False], ids=["spool", "memory only"])
def test_b2_the_server_is_away_at_the_end(programs: Any, fault: Behaviour | None, *, spooling: bool) -> None:
    """The end takes its budget at most; records lie in the spool, or are counted; one line on stderr says so."""
    with FaultServer(lambda _: fault or Hang()) as server:
        if fault is None:
            server.close()
        env = {} if spooling else {"OPENOBSERVE_SPOOL_DIR": "none"}
        done = programs.run(server.url, LOAD, OPENOBSERVE_EXIT_TIMEOUT="1s", **env)
        ended = time.monotonic()

    (said,) = printed(done.stdout)
    assert done.returncode == 0
    assert ended - said["at"] < 2.5
    assert said["books"]["balanced"]
    kept, lost = (500, {}) if spooling else (0, {"shutdown_timeout": 500})
    assert (said["books"]["spooled"], said["books"]["dropped"]) == (kept, lost)
    lines = [line for line in done.stderr.splitlines() if line.startswith("cqrs-openobserve: ")]
    assert len(lines) == 1
    assert "500 of 500 records were not delivered" in lines[0]
    assert ("wait in the spool" in lines[0]) == spooling
    assert "canary" not in done.stderr


RUN_ON = """
loop, bus = entered()
loop.run_until_complete(load(bus, range(50)))
say(ready=True)
time.sleep(60)
"""


def test_b3_sigterm_by_default(programs: Any) -> None:
    """The process dies at once, as every process does; what was not sent is lost, at most what it had in memory."""
    with FaultServer() as server:
        with programs.start(server.url, RUN_ON, OPENOBSERVE_FLUSH_INTERVAL="60s") as process:
            programs.ready(process)
            _, err = programs.die(process)
        assert process.returncode == -signal.SIGTERM
        assert "cqrs-openobserve:" not in err
        assert len(server.delivered) <= 50


@pytest.mark.parametrize("away", [False, True], ids=["healthy", "away"])
def test_b3_sigterm_with_install_signal_flush(programs: Any, *, away: bool) -> None:
    """With one call it ends as by an exit, delivered or spooled, and still dies of the signal."""
    with FaultServer(lambda received: Reply(503) if away else stored(len(received.rows))) as server:
        body = "install_signal_flush()\n" + RUN_ON
        with programs.start(server.url, body, OPENOBSERVE_FLUSH_INTERVAL="60s") as process:
            programs.ready(process)
            _, err = programs.die(process)
        assert process.returncode == -signal.SIGTERM
        assert ("cqrs-openobserve:" in err) is away
        if away:
            assert "50 wait in the spool" in err
            assert sum(int(path.name.split("-")[1]) for path in programs.spool.rglob("*.payload")) == 50
        else:
            assert len(set(ids(server))) == 50


def test_b3_a_handler_of_somebody_elses_stays(programs: Any) -> None:
    """A server that ends gracefully by itself does, and its exit stops telemetry."""
    body = """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    install_signal_flush()
    """
    with FaultServer() as server:
        import textwrap

        with programs.start(server.url, textwrap.dedent(body) + RUN_ON) as process:
            programs.ready(process)
            programs.die(process)
        assert process.returncode == 7
        assert len(server.delivered) == 50


def test_b4_an_impatient_person(programs: Any) -> None:
    """Ctrl-C is a KeyboardInterrupt, a second one ends the stop; nothing swallows either, and the line is still told."""
    with FaultServer(lambda _: Hang()) as server:
        env = {"OPENOBSERVE_EXIT_TIMEOUT": "30s", "OPENOBSERVE_SPOOL_DIR": "none"}
        with programs.start(server.url, RUN_ON, **env) as process:
            programs.ready(process)
            process.send_signal(signal.SIGINT)
            time.sleep(1.5)
            began = time.monotonic()
            _, err = programs.die(process, signal.SIGINT)
        assert time.monotonic() - began < 15
        assert "KeyboardInterrupt" in err
        assert "50 of 50 records were not delivered" in err


KILLED = """
loop, bus = entered()
loop.run_until_complete(load(bus, range(200)))
say(ready=telemetry(bus).flush(15).complete)
for batch in range(15):
    loop.run_until_complete(load(bus, range(1000 + batch * 100, 1100 + batch * 100)))
    time.sleep(0.1)
deadline = time.monotonic() + 20
while books(bus)["waiting"] > 100 and time.monotonic() < deadline:
    time.sleep(0.02)
say(accepted=books(bus)["accepted"], spooled=books(bus)["spooled"])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("fault", [Reply(503), Hang()], ids=["503", "hang"])
def test_b5_kill_9_in_an_outage(programs: Any, fault: Behaviour) -> None:
    """What was spooled is sent by the next process; at most the last batch of a signal is lost."""
    well = [3]

    def behave(received: Any) -> Behaviour:
        if received.rows and int(str(received.rows[0]["message_id"]), 16) < 0:
            raise AssertionError
        return stored(len(received.rows)) if well[0] else fault

    with FaultServer(behave) as server:
        with programs.start(server.url, KILLED) as process:
            assert json.loads(programs.ready(process)) == {"ready": True}
            well[0] = 0
            out, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        (said,) = printed(out)
        before = len(set(ids(server)))
        well[0] = 1
        done = programs.run(server.url, LOAD + "\ntime.sleep(0)", OPENOBSERVE_EXIT_TIMEOUT="20s")
        assert done.returncode == 0, done.stderr
        arrived = len(set(ids(server))) - 500

    assert before >= 200
    assert said["accepted"] - arrived <= 100, (said, arrived)
    assert list(programs.spool.rglob("*.payload")) == []
