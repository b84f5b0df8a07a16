import pytest
from cqrs_swr.testing.expectations import Expectations

from cqrs.testing import LawBroken


async def test_what_was_foretold_is_held_against_what_happens() -> None:
    """An answer that nobody has computed is noticed."""
    expected = Expectations()
    await expected.subject.open()
    expected.read_clocks()
    await expected.ask(0, ("a", 0))
    (waiting,) = expected.waiting
    expected.everything_is_counted()
    expected.subject.executions[0].ended.set_result("success")
    await expected.subject.settle()
    with pytest.raises(LawBroken, match="I10: a waiter got another outcome"):
        expected.ended(waiting.run, "answer")
    await expected.subject.close()


async def test_a_look_up_that_does_not_count_is_noticed() -> None:
    """The books are compared after each step."""
    expected = Expectations()
    await expected.subject.open()
    expected.subject.running[0].state.counters.lookups["fresh"] += 1
    with pytest.raises(LawBroken, match="I12"):
        expected.everything_is_counted()
    await expected.subject.close()
