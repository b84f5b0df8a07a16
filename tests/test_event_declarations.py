from typing import Any

import attrs
import pytest
from returns.result import Result, Success

from cqrs import Event, Feature
from cqrs.deliveries import PublishStrategy
from cqrs.event_declarations import (
    DELIVERY_RETRY,
    EventDeclarations,
    Publishing,
    same_type_ids,
    strategies,
    strategy_of,
)
from cqrs.messages import type_id, type_ids
from cqrs.problems import Code, Problem, place_of
from cqrs.retry import RetryPolicy


@attrs.frozen
class Happened(Event):
    """An event that others derive from."""


@type_id("shop.Placed", aliases=("old.Placed",))
@attrs.frozen
class Placed(Happened):
    """An event with a name of its own."""

    order: int = 0


@attrs.frozen
class Paid(Event):
    """Another event."""


async def hear(_event: Any) -> Result[None, str]:
    return Success(None)


def test_a_subscription_may_be_used_twice() -> None:
    """Each call declares another subscriber of the same events, and gives the function back."""
    declarations = EventDeclarations()
    step = declarations.subscribes(Placed, Paid, name="hear", timeout=1.0)

    assert declarations.subscribings == []
    assert step(hear) is hear
    step(hear)
    assert [(s.events, s.handler, s.name, s.timeout) for s in declarations.subscribings] == [
        ((Placed, Paid), hear, "hear", 1.0)
    ] * 2


def test_what_is_transient_is_tried_three_times_if_nothing_is_said() -> None:
    """The default is three attempts of what may pass by itself; None is one attempt."""
    declarations = EventDeclarations()
    declarations.subscribes(Placed)(hear)
    declarations.subscribes(Placed, retry=None)(hear)
    declarations.subscribes(Placed, retry=RetryPolicy(7))(hear)

    assert [s.retry for s in declarations.subscribings] == [DELIVERY_RETRY, None, RetryPolicy(7)]
    assert (DELIVERY_RETRY.attempts, DELIVERY_RETRY.retry_on(ValueError())) == (3, False)


def test_a_sequence_is_kept_as_it_is_given() -> None:
    """The function that gives an event's key is not called before there is an event."""
    declarations = EventDeclarations()
    declarations.subscribes(Placed, sequence=lambda event: event.order)(hear)

    (subscribing,) = declarations.subscribings
    assert subscribing.sequence is not None
    assert subscribing.sequence(Placed(7)) == 7


def test_an_unknown_strategy_is_refused_where_it_is_written() -> None:
    """A strategy may be named by its text too."""
    feature = Feature("orders")
    feature.publishes(Placed, strategy="sequential")

    assert feature.publishings[0].strategy is PublishStrategy.SEQUENTIAL
    assert feature.publishings[0].place.startswith("tests/test_event_declarations.py:")
    with pytest.raises(ValueError, match="at random"):
        feature.publishes(Placed, strategy="at random")


def publishing(event: Any, strategy: PublishStrategy, place: str = "shop.py:1") -> Publishing:
    return Publishing(event, strategy, place)


def test_a_strategy_counts_for_subclasses_unless_they_have_their_own() -> None:
    """The nearest declared class decides; without any, all hear at once."""
    declared = {Happened: PublishStrategy.SEQUENTIAL, Paid: PublishStrategy.STOP_ON_FAILURE}

    assert strategy_of(Placed, declared) is PublishStrategy.SEQUENTIAL
    assert strategy_of(Placed, {**declared, Placed: PublishStrategy.CONCURRENT}) is PublishStrategy.CONCURRENT
    assert strategy_of(Paid, declared) is PublishStrategy.STOP_ON_FAILURE
    assert strategy_of(Event, declared) is PublishStrategy.CONCURRENT


def test_two_strategies_for_one_event_are_a_problem() -> None:
    """Both places are named; saying the same twice is none."""
    problems: list[Problem] = []
    sequential = publishing(Placed, PublishStrategy.SEQUENTIAL)
    found = strategies(
        [sequential, sequential, publishing(Placed, PublishStrategy.CONCURRENT, "shop.py:9")], problems
    )

    assert found == {Placed: PublishStrategy.SEQUENTIAL}
    (problem,) = problems
    assert (problem.code, problem.place) == (Code.TWO_STRATEGIES, "shop.py:9")
    assert "sequential at shop.py:1" in problem.text


@pytest.mark.parametrize("wrong", [int, "Placed", None])
def test_publishing_what_is_no_event_is_a_problem(wrong: object) -> None:
    """Only event classes have a strategy."""
    problems: list[Problem] = []

    assert strategies([publishing(wrong, PublishStrategy.SEQUENTIAL)], problems) == {}
    assert [problem.code for problem in problems] == [Code.WRONG_KIND]


def test_two_events_under_one_name_are_a_problem() -> None:
    """A name that one of them was given, or has as an alias, belongs to it alone."""
    named = type_id("old.Placed")(type("Named", (Event,), {}))
    plain = type("Plain", (Event,), {"__module__": "old"})
    plain.__qualname__ = "Placed"

    for other in (named, plain):
        (problem,) = same_type_ids([Placed, Placed, other, Paid])
        assert problem.code is Code.DUPLICATE_TYPE_ID
        assert "'old.Placed'" in problem.text


def test_the_second_event_of_a_name_is_the_place_of_the_problem() -> None:
    """The line to be changed is told with file and line."""

    @type_id("Sold", aliases=(type_ids(Placed)[0],))
    class Sold(Event):
        pass

    (problem,) = same_type_ids([Placed, Sold])
    assert problem.place == place_of(Sold) != ""


def test_two_classes_of_one_name_that_nobody_was_given_stay_apart() -> None:
    """A class that exists twice, as after a reload, is only a problem once one of them has a name of its own."""
    first, second = (type("Twice", (Event,), {}) for _ in range(2))

    assert list(same_type_ids([first, second])) == []
