"""How the process itself is."""

import gc
import threading
import time

import anyio
from cqrs_openobserve import runtime_metrics
from cqrs_openobserve.metric_catalogue import CATALOGUE, LOOP_LAG
from cqrs_openobserve.runtime_metrics import LoopLag, process_readings


def test_the_process_is_read_as_the_catalogue_says() -> None:
    """Every reading is of a metric of the table, with a label for each of its attributes."""
    gc.collect()
    found = {(metric.name, *labels): value for metric, value, labels in process_readings()}

    for metric, _, labels in process_readings():
        assert metric in CATALOGUE
        assert len(labels) == len(metric.attributes)
    assert found["process.cpu.time", "user"] > 0
    assert found["process.thread.count",] == threading.active_count()
    assert found["cpython.gc.collections", "2"] >= 1
    assert found["process.uptime",] >= 0


def test_memory_and_descriptors_follow_what_is_used() -> None:
    """Where the system tells them."""

    def read() -> tuple[float, float]:
        found = {metric.name: value for metric, value, _ in process_readings()}
        return found.get("process.memory.usage", 0), found.get("process.unix.file_descriptor.count", 0)

    before = read()
    held = bytearray(64 * 1024 * 1024)
    held[::4096] = b"x" * len(held[::4096])
    files = [open("/dev/null") for _ in range(5)]  # noqa: SIM115, PTH123 - held open on purpose
    during = read()
    for file in files:
        file.close()

    if before[0]:
        assert during[0] - before[0] > 32 * 1024 * 1024
    assert during[1] - before[1] == 5 or not before[1]


async def test_a_blocked_loop_is_late() -> None:
    """The longest delay since the last reading."""
    lag = LoopLag()
    assert list(lag.readings()) == []
    runtime_metrics.STEP_SECONDS, step = 0.01, runtime_metrics.STEP_SECONDS  # type: ignore[misc]  # put back below
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(lag.watch)
            await anyio.sleep(0.02)
            list(lag.readings())
            time.sleep(0.2)  # noqa: ASYNC251 - the blocking that is measured
            await anyio.sleep(0.05)
            group.cancel_scope.cancel()
    finally:
        runtime_metrics.STEP_SECONDS = step  # type: ignore[misc]  # as it was

    ((metric, seconds, labels),) = lag.readings()
    assert (metric, labels) == (LOOP_LAG, ())
    assert seconds >= 0.15
    assert [value for _, value, _ in lag.readings()] == [0.0]
