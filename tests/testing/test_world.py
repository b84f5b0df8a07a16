"""A world with time, chance, tasks and faults of its own."""

import anyio
import pytest
from returns.result import Failure, Result, Success

from cqrs.testing import World, fail_each, fail_nth
from cqrs.testing.injection import InjectedFault


class Store:
    """Keeps values; the outside thing of the scenarios."""

    name = "memory"

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    async def put(self, key: str, value: int) -> None:
        """Keep a value."""
        await anyio.sleep(0.1)
        self.values[key] = value

    def get(self, key: str) -> Result[int, str]:
        """Give a value."""
        return Success(self.values[key]) if key in self.values else Failure("none")


async def busy(world: World) -> dict[str, int]:
    inner = Store()
    store = world.seam("store", inner)

    async def writer(name: str) -> None:
        for number in range(3):
            await store.put(name, number)
            await world.clock.sleep(world.random.random())

    async with anyio.create_task_group():
        for name in "abc":
            world.spawn(name, writer, name)
    return inner.values


def test_the_same_seed_gives_the_same_trace() -> None:
    """Step for step, with the time of each."""
    first, second = World(7), World(7)

    first.run(busy)
    second.run(busy)

    assert first.trace == second.trace
    assert len(first.trace) > 20


def test_another_seed_gives_another_trace() -> None:
    """Tasks take their turns differently."""
    traces: set[str] = set()
    for seed in range(5):
        world = World(seed)
        world.run(busy)
        traces.add("".join(what[0] for _, what in world.trace if what[1:].startswith(" ")))

    assert len(traces) == 5


def test_the_nth_call_of_a_seam_fails_and_no_other() -> None:
    """An exception is raised, a Failure is answered; what is no method is given as it is."""
    error = RuntimeError("disk is gone")
    world = World(faults=[fail_nth("store.put", 2, error), fail_nth("store.get", 1, Failure("broken"))])

    async def scenario(world: World) -> list[object]:
        store = world.seam("store", Store())
        await store.put("a", 1)
        with pytest.raises(RuntimeError, match="disk is gone"):
            await store.put("a", 2)
        await store.put("a", 3)
        return [store.name, store.get("a"), store.get("a")]

    assert world.run(scenario) == ["memory", Failure("broken"), Success(3)]
    assert world.struck == ["store.put", "store.get"]


def test_a_persistent_fault_stays() -> None:
    """From the n-th call on, any method that the pattern takes fails."""

    async def scenario(world: World) -> list[bool]:
        failed = []
        for _ in range(4):
            try:
                world.strike("disk.write")
            except InjectedFault:
                failed.append(True)
            else:
                failed.append(False)
        return failed

    assert World(faults=[fail_nth("disk.*", 3, persistent=True)]).run(scenario) == [False, False, True, True]


@pytest.mark.parametrize("persistent", [True, False])
def test_each_call_is_made_to_fail_once(*, persistent: bool) -> None:
    """A scenario with three calls is run with three faults, and a fourth time without any."""
    runs: list[int] = []

    async def scenario(world: World) -> None:
        store = world.seam("store", Store())
        done = 0
        for number in range(3):
            try:
                await store.put("a", number)
                done += 1
            except InjectedFault:
                continue
        runs.append(done)

    assert fail_each(scenario, "store.put", persistent=persistent) == 3
    assert runs == ([0, 1, 2, 3] if persistent else [2, 2, 2, 3])


def test_a_scenario_that_does_not_hold_under_a_fault_names_it() -> None:
    """The error says which call failed, in which world."""

    async def scenario(world: World) -> None:
        store = world.seam("store", Store())
        await store.put("a", 1)
        await store.put("a", 2)

    with pytest.raises(InjectedFault) as failed:
        fail_each(scenario, "store.put", seed=3)

    assert failed.value.__notes__ == ["With call 1 of store.put failing, in World(3)."]


def test_tasks_are_spawned_in_a_run_only() -> None:
    """Before it there is nothing that would run them."""
    with pytest.raises(RuntimeError, match=r"World\.run"):
        World().spawn("early", anyio.sleep_forever)


def test_what_a_task_raises_comes_out_as_it_is() -> None:
    """A failed assertion in a task is not hidden in a group."""

    async def scenario(world: World) -> None:
        async def failing() -> None:
            raise AssertionError("seen")

        world.spawn("task", failing)

    with pytest.raises(AssertionError, match="seen"):
        World().run(scenario)
