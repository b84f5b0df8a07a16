"""Two real processes that share a folder: what a command of one makes invalid, the other does not serve for long."""

import time
from pathlib import Path
from typing import Any

import pytest

CHANGE = """
async def look(bus, order):
    return (await bus.queries.execute(Find(order))).unwrap()

async def change(bus, order, dots):
    size[0] = dots
    return (await bus.commands.execute(Change(order))).unwrap() if bus else dots
"""
COHERENCE_SECONDS = 0.1  # what the program sets


@pytest.mark.timeout(60)  # several processes, on a machine that may be busy
def test_a_command_makes_its_query_invalid_in_every_process(start: Any, folder: Path) -> None:
    """In its own at once, in the other within CQRS_SWR_COHERENCE; the answer is the new one in both."""
    one, other = start(folder, extra=CHANGE), start(folder, extra=CHANGE)
    assert one.tell("look(bus, 1)") == "order 1"
    assert one.tell("settle(store)") == "True"
    assert other.tell("look(bus, 1)") == "order 1"
    assert other.tell("ask(bus, 1)") == "0", "both hold it"
    for dots in (1, 2, 3):
        new = "order 1" + "." * dots
        assert other.tell(f"change(None, 1, {dots})") == str(dots)  # the world is the same for both
        assert one.tell(f"change(bus, 1, {dots})") == "1"
        assert one.tell("look(bus, 1)") == new, "at once"
        assert one.tell("settle(store)") == "True"
        time.sleep(COHERENCE_SECONDS)
        assert other.tell("look(bus, 1)") == new, "within the coherence time of its being written"
    assert one.end() == other.end() == ""


@pytest.mark.timeout(60)  # several processes, on a machine that may be busy
def test_before_the_coherence_time_is_over_the_other_may_not_know(start: Any, folder: Path) -> None:
    """The time is not waited for in vain: with a long one, the old answer is still served elsewhere."""
    long = CHANGE + "Swr = lambda dir, coherence: cqrs_swr.Swr(dir=dir, coherence=3600.0)\nimport cqrs_swr\n"
    one, other = start(folder, extra=CHANGE), start(folder, extra=long)
    assert one.tell("look(bus, 1)") == "order 1"
    assert one.tell("settle(store)") == "True"
    assert other.tell("look(bus, 1)") == "order 1"
    assert one.tell("change(bus, 1, 5)") == "1"
    assert one.tell("settle(store)") == "True"
    assert other.tell("look(bus, 1)") == "order 1"
    assert one.end() == other.end() == ""
