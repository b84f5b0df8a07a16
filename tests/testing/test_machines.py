"""State machines whose rules may be async."""

from typing import Any, ClassVar

import anyio
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, precondition, run_state_machine_as_test

from cqrs.testing import AsyncMachine, Backend
from cqrs.testing.machines import initialize, invariant, rule

QUICK = settings(max_examples=20, stateful_step_count=10, derandomize=True, database=None, deadline=None)


class Counting(AsyncMachine):
    """Counts in a task group that one rule enters and the end leaves; every tenth is lost if ``broken``."""

    broken = False
    finished: ClassVar[list[bool]] = []
    kept = Bundle("kept")

    @initialize(start=st.integers(0, 3))
    async def open(self, start: int) -> None:
        """Enter."""
        self.group = anyio.create_task_group()
        await self.group.__aenter__()
        self.count = self.model = start

    @rule(target=kept, by=st.integers(1, 5))
    async def add(self, by: int) -> int:
        """Count in a task."""
        event = anyio.Event()

        async def adding() -> None:
            await anyio.lowlevel.checkpoint()
            self.count += by
            event.set()

        self.group.start_soon(adding)
        await event.wait()
        self.model += by
        if self.broken and self.model > 7:
            self.count -= 1
        return by

    @precondition(lambda self: self.model > 0)
    @rule(number=kept)
    def take(self, number: int) -> None:
        """A rule that is not async."""
        self.count -= number
        self.model -= number

    @invariant()
    async def counts_what_was_added(self) -> None:
        """Compare with the model."""
        await anyio.lowlevel.checkpoint()
        assert getattr(self, "count", 0) == getattr(self, "model", 0)

    async def finish(self) -> None:
        """Leave."""
        self.finished.append(True)
        if hasattr(self, "group"):
            await self.group.__aexit__(None, None, None)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_rules_run_in_one_task_of_one_event_loop(backend: Backend) -> None:
    """A task group that one rule enters is left by another; sync and async rules mix."""
    machine = type("Machine", (Counting,), {"backend": backend})

    run_state_machine_as_test(machine, settings=QUICK)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_wrong_step_is_found_and_everything_closed(backend: Backend) -> None:
    """The smallest history stands in the notes, as hypothesis writes it; the end of each run was run."""
    machine = type("Machine", (Counting,), {"backend": backend, "broken": True, "finished": []})

    with pytest.raises(AssertionError) as failed:
        run_state_machine_as_test(machine, settings=QUICK)

    assert "state.add(by=" in "\n".join(failed.value.__notes__)
    assert machine.finished


class Sleeping(AsyncMachine):
    """Sleeps for hours."""

    virtual = True

    @rule(hours=st.integers(1, 24))
    async def sleep(self, hours: int) -> None:
        """Wait."""
        before = self.world.clock.monotonic_ns()
        await anyio.sleep(hours * 3600)
        assert self.world.clock.monotonic_ns() - before >= hours * 3600 * 10**9


def test_time_can_be_virtual() -> None:
    """Hours of a machine take no time."""
    run_state_machine_as_test(Sleeping, settings=QUICK)


def test_time_is_virtual_on_asyncio_only() -> None:
    """Said at once, not by a machine that hangs."""
    machine: Any = type("Machine", (Sleeping,), {"backend": "trio"})

    with pytest.raises(ValueError, match="asyncio only"):
        machine()


def test_a_step_can_be_asked_for() -> None:
    """A rule that is not async reaches the event loop through ``step``."""
    machine = Counting()
    try:
        assert machine.step(anyio.lowlevel.checkpoint) is None
        assert machine.step(lambda: 7) == 7
    finally:
        machine.teardown()
