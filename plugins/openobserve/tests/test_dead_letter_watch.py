"""How many dead letters wait, and how old the oldest is."""

import logging
from typing import Any

import anyio
import attrs
import pytest
from cqrs_openobserve import OpenObserve
from cqrs_openobserve.dead_letter_watch import DeadLetterWatch
from cqrs_openobserve.testing import FaultServer
from returns.result import Failure, Result

from cqrs import CqrsModule, Event, Feature
from cqrs.dead_letter import DeadLetter, MemoryDeadLetterQueue, StoreFailed
from cqrs.instrumentation import AppDetails
from cqrs.testing import FakeClock


@attrs.frozen
class Happened(Event):
    """Something happened."""

    number: int


def watching(queue: Any, clock: FakeClock) -> DeadLetterWatch:
    watch = DeadLetterWatch(60, clock)
    watch.app_started(AppDetails((), (), 0, queue))
    return watch


def read(watch: DeadLetterWatch) -> dict[str, float]:
    return {metric.name: value for metric, value, _ in watch.readings()}


async def test_depth_and_age_are_read_from_the_queue_of_the_app() -> None:
    """Nothing before it is known, zero while it is empty, then how many and since when."""
    clock = FakeClock()
    queue = MemoryDeadLetterQueue(clock=clock)
    unread = DeadLetterWatch(60, clock)
    await unread.read()
    assert read(unread) == {}
    watch = watching(queue, clock)
    await watch.read()
    assert read(watch) == {"cqrs.dead_letter.depth": 0, "cqrs.dead_letter.oldest_age": 0}
    for number in range(3):
        await queue.park(DeadLetter(Happened(number), "happened", "s", first_failed_ns=clock.time_ns()))
    await watch.read()
    assert read(watch)["cqrs.dead_letter.depth"] == 3


async def test_a_queue_that_cannot_be_read_gives_no_reading(caplog: pytest.LogCaptureFixture) -> None:
    """A failed store tells no old number; one that raises is named once and left alone."""

    class Failing(MemoryDeadLetterQueue):  # type: ignore[misc]  # final
        """Fails, then raises."""

        fails = True

        async def count(self, *_: Any) -> Any:
            """Fail or raise."""
            if self.fails:
                return Failure(StoreFailed("letters", "count", "the disk is full"))
            raise RuntimeError("broken")

    queue = Failing()
    watch = watching(queue, FakeClock())
    await watch.read()
    assert read(watch) == {}
    queue.fails = False
    with caplog.at_level(logging.ERROR):
        await watch.read()
        await watch.read()
    assert read(watch) == {}
    assert len(caplog.records) == 1


async def test_it_reads_at_intervals_until_it_is_cancelled() -> None:
    """The first time at once."""
    watch = watching(MemoryDeadLetterQueue(), FakeClock())
    with anyio.move_on_after(0.1) as scope:
        await watch.watch()
    assert scope.cancelled_caught
    assert read(watch)["cqrs.dead_letter.depth"] == 0


async def test_an_app_that_parked_a_letter_says_so_at_its_end(server: FaultServer) -> None:
    """Also one that ended before the first interval: both metrics are among the rows for SQL."""
    feature = Feature("happening")

    @feature.subscribes(Happened, name="s")
    async def hear(event: Happened) -> Result[None, str]:
        del event
        return Failure("never")

    plugin = OpenObserve(url=server.url, token="user:secret", spool_dir="none", exit_timeout="5s")
    async with CqrsModule.for_root(feature, plugins=[plugin], env={}) as app:
        await app.events.publish(Happened(1))
    rows = [
        row for row in server.delivered if str(row.get("metric_name", "")).startswith("cqrs.dead_letter.")
    ]
    found = {str(row["metric_name"]): row["metric_value"] for row in rows}
    assert found["cqrs.dead_letter.depth"] == 1.0
    assert float(str(found["cqrs.dead_letter.oldest_age"])) >= 0
