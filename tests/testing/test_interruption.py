"""Cancelling exactly where a call waits for the n-th time."""

import anyio
import pytest

from cqrs.testing.interruption import interrupt


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Each test runs on both event loops."""
    return str(request.param)


async def three_waits(log: list[int]) -> str:
    for number in range(1, 4):
        log.append(number)
        await anyio.lowlevel.checkpoint()
    return "done"


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_it_ends_where_it_waits(at: int) -> None:
    """What stands behind the n-th suspension is not run."""
    log: list[int] = []

    run = await interrupt(lambda: three_waits(log), at)

    assert log == list(range(1, at + 1))
    assert (run.reached, run.ended, run.answer) == (True, True, None)


async def test_a_call_that_waits_less_often_is_not_cancelled() -> None:
    """Its answer is given, and that it was not reached."""
    run = await interrupt(lambda: three_waits([]), 4)

    assert (run.reached, run.ended, run.answer) == (False, False, "done")


async def test_a_call_that_waits_for_something_is_cancelled_there() -> None:
    """Not only a bare checkpoint is a suspension."""
    run = await interrupt(anyio.sleep_forever, 1)

    assert (run.reached, run.ended) == (True, True)


async def test_a_swallowed_cancellation_is_seen() -> None:
    """A call that answers although it was cancelled has reached it, and did not end by it."""

    async def swallowing() -> str:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            return "never mind"
        return "not reached"

    run = await interrupt(swallowing, 1)

    assert (run.reached, run.ended, run.answer) == (True, False, "never mind")


async def test_what_a_call_raises_comes_out() -> None:
    """Only the cancellation is kept."""

    async def failing() -> None:
        await anyio.lowlevel.checkpoint()
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await interrupt(failing, 9)


async def test_nothing_outside_of_the_call_is_cancelled() -> None:
    """The caller and what it awaits afterwards go on."""
    await interrupt(anyio.sleep_forever, 1)

    with anyio.fail_after(10):
        await anyio.lowlevel.checkpoint()
