"""Group B of the fault catalogue: one long life. One test per row, most with real processes.

`FAULTS_HEAVY=1` (`./dev faults-heavy`) runs those that repeat a fault with their full number of rounds.
"""

import gc
import json
import random
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
from cqrs_openobserve.testing import Behaviour, FaultServer, RecordingTransport, Reply, stored

Make = Callable[..., Pipeline]
Observe = Callable[..., Observation]


def printed(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


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
