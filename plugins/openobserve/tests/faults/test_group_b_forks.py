"""Group B of the fault catalogue: children and threads. One test per row, most with real processes.

`FAULTS_HEAVY=1` (`./dev faults-heavy`) runs those that repeat a fault with their full number of rounds.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.testing import FaultServer

Make = Callable[..., Pipeline]
Observe = Callable[..., Observation]


def numbers(server: FaultServer) -> list[int]:
    return [int(str(row["message_id"]), 16) for row in server.delivered]


def ids(server: FaultServer) -> list[str]:
    return [str(row["record_id"]) for row in server.delivered]


def printed(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


CHILDREN = """
import multiprocessing
loop, bus = entered()
loop.run_until_complete(load(bus, range(1, 2)))

def work(leave):
    asyncio.new_event_loop().run_until_complete(load(bus, range(100, 150)))
    if leave:
        os._exit(0)

for leave in (False, True):
    child = multiprocessing.get_context("fork").Process(target=work, args=(leave,))
    child.start()
    child.join()
    say(code=child.exitcode)
"""


def test_b6_children_of_multiprocessing(programs: Any) -> None:
    """They run no atexit and still send everything; os._exit ends a process before anybody can."""
    with FaultServer() as server:
        done = programs.run(
            server.url, CHILDREN, OPENOBSERVE_FLUSH_INTERVAL="60s", OPENOBSERVE_BATCH_SIZE="1000"
        )
        assert printed(done.stdout) == [{"code": 0}, {"code": 0}]
        assert len(set(ids(server))) == len(server.delivered) == 51


FORKS = """
loop, bus = entered()
stopping = threading.Event()
made = [0]

def call():
    own = asyncio.new_event_loop()
    while not stopping.is_set():
        own.run_until_complete(load(bus, range(20)))
        made[0] += 20
        time.sleep(0.002)
    own.close()

caller = threading.Thread(target=call)
caller.start()
sent = 0
for _ in range(FORKS):
    child = os.fork()
    if child == 0:
        asyncio.new_event_loop().run_until_complete(load(bus, range(5)))
        report = telemetry(bus).flush(30)
        found = books(bus)
        os._exit(0 if report.complete and found["balanced"] and found["delivered"] == 5 else 1)
    assert os.waitpid(child, 0)[1] == 0
    sent += 5
    time.sleep(0.005)
stopping.set()
caller.join()
telemetry(bus).flush(30)
say(parent=books(bus), made=made[0], sent=sent)
"""


@pytest.mark.timeout(600)
def test_b7_forks_under_load(programs: Any, heavy: int) -> None:
    """20 forks (200 in the heavy run) while a thread dispatches: nothing lost, nothing twice, each child its own id."""
    with FaultServer() as server:
        done = programs.run(
            server.url, FORKS.replace("FORKS", str(20 * heavy)), OPENOBSERVE_EXIT_TIMEOUT="20s"
        )
        assert done.returncode == 0, done.stderr
        (said,) = printed(done.stdout)
        found = server.delivered

    parent = said["parent"]
    assert parent["balanced"]
    assert (parent["accepted"], parent["delivered"], parent["dropped"]) == (said["made"], said["made"], {})
    assert len(found) == len({row["record_id"] for row in found}) == said["made"] + said["sent"]
    assert len({row["service_instance_id"] for row in found}) == 20 * heavy + 1


PRELOAD = """
ENTER
children = []
for worker in range(4):
    child = os.fork()
    if child == 0:
        if WORKER_ENTERS:
            loop, bus = entered()
        else:
            loop = asyncio.new_event_loop()
        loop.run_until_complete(load(bus, range(worker * 100, worker * 100 + 50)))
        sys.exit(0)
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
say(codes=codes)
"""


@pytest.mark.parametrize("enters", ["worker", "master"])
def test_b9_workers_of_a_preloaded_server(programs: Any, enters: str) -> None:
    """Four workers forked from one that has loaded the app, or is running it: each delivers under an id of its own."""
    body = PRELOAD.replace("WORKER_ENTERS", str(enters == "worker"))
    body = body.replace("ENTER", "" if enters == "worker" else "loop, bus = entered()")
    with FaultServer() as server:
        done = programs.run(server.url, body, OPENOBSERVE_EXIT_TIMEOUT="20s")
        assert printed(done.stdout)[-1] == {"codes": [0, 0, 0, 0]}, done.stderr
        assert len(set(ids(server))) == 200, done.stderr
        assert len(server.delivered) == 200, done.stderr
        assert len({row["service_instance_id"] for row in server.delivered}) == 4
        assert "cqrs-openobserve:" not in done.stderr


LATE = """
import atexit
loop, bus = entered()

def late():
    loop.run_until_complete(load(bus, range(1, 8)))

atexit.register(late)
start = threading.Thread.start

def refusing(thread):
    if thread.name.startswith("cqrs-openobserve"):
        raise RuntimeError("can't start new thread at interpreter shutdown")
    start(thread)

threading.Thread.start = refusing
"""


def test_b10_threads_that_cannot_start_any_more(programs: Any) -> None:
    """At the end of the interpreter no thread starts: nothing is raised, and those records are told as internal."""
    with FaultServer() as server:
        done = programs.run(server.url, LATE, OPENOBSERVE_SPOOL_DIR="none")
        assert server.delivered == []
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "7 of 7 records were not delivered: 7 internal" in done.stderr
