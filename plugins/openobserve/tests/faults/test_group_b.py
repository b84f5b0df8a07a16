"""Group B of the fault catalogue: the process. One test per row, most of them with real processes.

`FAULTS_HEAVY=1` (`./dev faults-heavy`) runs those that repeat a fault with their full number of rounds.
"""

import gc
import json
import random
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.delivery import OLDEST_NS
from cqrs_openobserve.exporter import Exporter, Rules
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plan import Queues, plan_of
from cqrs_openobserve.plugin import pipeline_of, surroundings
from cqrs_openobserve.records import RowBuilder
from cqrs_openobserve.testing import Behaviour, Drip, FaultServer, Hang, RecordingTransport, Reply, stored

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


def test_b11_stop_again_and_again(make_pipeline: Make, observe: Observe, server: FaultServer) -> None:
    """Before the start, twice, at once from several threads, and from the pipeline's own threads: idempotent."""
    never = make_pipeline()
    assert never.stop().complete
    assert never.stop().complete

    pipeline = make_pipeline(exit_timeout="10s")
    pipeline.queue.offer(observe())
    threads = [threading.Thread(target=pipeline.stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pipeline.ledger().delivered == 1

    own = make_pipeline(exit_timeout="1s")
    server.behave = lambda received: (own.stop(), stored(len(received.rows)))[1]
    send, ended = own._exporter.send, threading.Event()

    def stopping(parcel: Parcel) -> None:
        own.stop()
        ended.set()
        send(parcel)

    own._exporter.send = stopping  # type: ignore[method-assign]  # the sender stops its own pipeline
    own.queue.offer(observe())
    own.flush(0.1)
    assert ended.wait(10)
    assert own.ledger().balanced


def test_b12_after_the_stop(make_pipeline: Make, observe: Observe) -> None:
    """What comes late is dropped as already_stopped, and raises nothing."""
    pipeline = make_pipeline()
    pipeline.stop()
    pipeline.queue.offer(observe())
    assert pipeline.ledger().dropped == {"already_stopped": 1}
    assert pipeline.ledger().balanced


LOOPS = """
loop, bus = entered()
loop.run_until_complete(load(bus, range(10)))
loop.close()
asyncio.run(load(bus, range(10, 20)))
thread = threading.Thread(target=lambda: asyncio.run(load(bus, range(20, 30))))
thread.start()
thread.join()
coroutine = bus.commands.execute(Count(31))
try:
    coroutine.send(None)
except StopIteration as done:
    assert done.value == Success(31)
assert telemetry(bus).flush(15).complete
say(books=books(bus))
"""


def test_b13_event_loops_come_and_go(programs: Any) -> None:
    """Closed, a second one, one in a thread, none at all: the exporter is tied to none of them."""
    with FaultServer() as server:
        done = programs.run(server.url, LOOPS)
        assert done.returncode == 0, done.stderr
        assert len(server.delivered) == 31
    assert printed(done.stdout)[0]["books"]["delivered"] == 31


def test_b15_garbage(configure: Callable[..., Any], observe: Observe, server: FaultServer) -> None:
    """A pipeline nobody stopped goes when nobody holds it; an object that observes while it is collected blocks nothing."""
    forgotten = weakref.ref(pipeline_of(configure()))
    gc.collect()
    assert forgotten() is None

    pipeline = pipeline_of(configure(flush_interval="10ms", exit_timeout="10s"))

    class Dying:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            pipeline.queue.offer(observe())
            pipeline.ledger()

    with pipeline._books:
        for _ in range(50):
            Dying()
        gc.collect()
    for _ in range(50):
        Dying()
        pipeline.queue.offer(observe())
    gc.collect()
    pipeline.stop()
    assert pipeline.ledger().delivered == len(server.delivered) == 150


@pytest.mark.parametrize("jump", [-86_400, 86_400, 10**9])
def test_b16_the_wall_clock_jumps(
    configure: Callable[..., Any], observe: Observe, tmp_path: Any, jump: int
) -> None:
    """A day back, a day ahead, decades: ages are monotonic, nothing expires; an hour's sleep does not expire either."""

    class Clock:
        now, wall = 10**15, 1_795_000_000 * 10**9

        def monotonic_ns(self) -> int:
            return self.now

        def time_ns(self) -> int:
            return self.wall

    clock, queues = Clock(), Queues(lambda: None)
    configuration = configure(spool_dir=str(tmp_path / "spool"))
    transport = RecordingTransport()
    rules = Rules(3, configuration.spool, lambda: 0.5)
    exporter = Exporter(plan_of(configuration, queues, "i", 0), transport, rules, clock)
    for number in range(2):
        queues.observations.offer(observe(number, ended=clock.now))
        exporter.work()
        exporter.park(everything=True)
        clock.wall += jump * 10**9
        clock.now += 3600 * 10**9
    while isinstance(parcel := exporter.pick(), Parcel):
        exporter.send(parcel)
    books = exporter.ledger()["logs"]
    assert (books.delivered, books.lost) == (2, 0)
    assert OLDEST_NS > 2 * 3600 * 10**9
    exporter.close()


def test_b17_nothing_left_of_something(
    outage_pipeline: Make, observe: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No descriptors: sent later; no threads: tried again; no memory while encoding: that batch is lost as internal."""
    import socket

    real, refusals = socket.socket, [OSError(24, "Too many open files")] * 2

    def no_descriptor(*arguments: Any, **options: Any) -> Any:
        if refusals and threading.current_thread().name.endswith("sender"):
            raise refusals.pop()
        return real(*arguments, **options)

    monkeypatch.setattr("cqrs_openobserve.client.socket.socket", no_descriptor)
    pipeline = outage_pipeline()
    pipeline.queue.offer(observe())
    assert pipeline.flush(15).complete
    assert pipeline.ledger().delivered == 1

    row, failures = RowBuilder.encoded, [MemoryError()]

    def no_memory(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return row(*arguments)

    monkeypatch.setattr(RowBuilder, "encoded", no_memory)
    pipeline.queue.offer(observe())
    end = time.monotonic() + 15
    while not pipeline.ledger().lost and time.monotonic() < end:
        time.sleep(0.01)
    pipeline.queue.offer(observe())
    assert pipeline.flush(15).complete
    assert (pipeline.ledger().delivered, pipeline.ledger().dropped) == (2, {"internal": 1})


def test_b19_unusual_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads replaced by gevent or eventlet, and a Python without its lock, are told at the start; the usual is not."""
    assert surroundings() == ()

    class Monkey:
        @staticmethod
        def is_module_patched(name: str) -> bool:
            return name == "threading"

        is_monkey_patched = is_module_patched

    monkeypatch.setitem(sys.modules, "gevent.monkey", Monkey)  # type: ignore[arg-type]  # a double of the module
    (said,) = surroundings()
    assert "gevent" in said
    monkeypatch.setitem(sys.modules, "eventlet.patcher", Monkey)  # type: ignore[arg-type]  # a double of the module
    assert len(surroundings()) == 2
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert "free-threaded" in surroundings()[-1]


FUZZ = """
import random
seed, steps = SEED, STEPS
chance = random.Random(seed)
loop, bus = entered()
accepted = 0
from cqrs_openobserve.pipeline import Pipeline
for step in range(steps):
    action = chance.choices(["emit", "flush", "ledger", "fork", "health"], [90, 4, 4, 1, 1])[0]
    if action == "emit":
        count = chance.randrange(1, 8)
        loop.run_until_complete(load(bus, range(count)))
        accepted += count
    elif action == "flush":
        telemetry(bus).flush(chance.random() * 0.02)
    elif action == "ledger":
        assert books(bus)["balanced"] and books(bus)["accepted"] == accepted, (step, books(bus), accepted)
    elif action == "health":
        str(telemetry(bus).health())
    else:
        child = os.fork()
        if child == 0:
            asyncio.new_event_loop().run_until_complete(load(bus, range(3)))
            found = books(bus)
            os._exit(0 if found["balanced"] and found["delivered"] + found["waiting"] + found["spooled"] == 3 else 1)
        assert os.waitpid(child, 0)[1] == 0, step
pipeline = telemetry(bus)._pipeline
for _ in range(3):
    pipeline.stop()
    loop.run_until_complete(load(bus, range(2)))
found = books(bus)
assert found["balanced"] and found["accepted"] == accepted + 6, found
assert found["dropped"].pop("already_stopped") == 6
say(seed=seed, **found)
"""


@pytest.mark.timeout(600)
def test_b20_a_random_life(programs: Any, heavy: int) -> None:
    """Emit, flush, read, fork and stop in a random order, with a server that fails at random; a failure tells the seed."""
    seed = random.SystemRandom().randrange(2**32) if heavy > 1 else 20
    chance = random.Random(seed)

    def behave(received: Any) -> Behaviour:
        fault = chance.random()
        if fault < 0.1:
            return Reply(503)
        return Reply(400) if fault < 0.12 else stored(len(received.rows))

    with FaultServer(behave) as server:
        body = FUZZ.replace("SEED", str(seed)).replace("STEPS", str(1_000 * heavy))
        done = programs.run(
            server.url, body, OPENOBSERVE_EXIT_TIMEOUT="20s", OPENOBSERVE_FLUSH_INTERVAL="50ms"
        )
    assert done.returncode == 0, (seed, done.stderr)
    (said,) = printed(done.stdout)
    assert said["waiting"] == 0
    assert set(said["dropped"]) <= {"rejected_record"}
