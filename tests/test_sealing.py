from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs.deliveries import PublishStrategy
from cqrs.faults import HandlerCrashed
from cqrs.messages import Event
from cqrs.middleware import HandlerInfo
from cqrs.pipeline import Surroundings
from cqrs.problems import Code, CompositionError
from cqrs.registry import Entry, Registry
from cqrs.sealing import Audiences, composed, composed_late
from cqrs.subscribers import Delivering


class Happened(Event):
    """An event."""


class Placed(Happened):
    """An event that derives from it."""


async def handle(_message: Any) -> Result[Any, Any]:
    return Success(1)


def picky(_next: Any, _handler: HandlerInfo) -> Any:
    raise KeyError("no rule")


async def test_a_pipeline_that_cannot_be_composed_is_a_problem_at_the_start(info: HandlerInfo) -> None:
    """While the app starts, what a middleware raises is told with the handler's place and its cause kept."""
    assert await composed(handle, info, Surroundings()).pipeline(None) == Success(1)  # type: ignore[arg-type]  # the wrong type is the point

    with pytest.raises(CompositionError) as refused:
        composed(handle, info, Surroundings(middleware=[picky]))

    (problem,) = refused.value.problems
    assert (problem.code, problem.place) == (Code.MIDDLEWARE_FAILED, "shop.py:1")
    assert isinstance(refused.value.__cause__, KeyError)


async def test_and_an_answer_while_the_app_runs(info: HandlerInfo, caplog: pytest.LogCaptureFixture) -> None:
    """Composed late, the same gives a pipeline that answers with the crash, logged once."""
    assert await composed_late(handle, info, Surroundings()).pipeline(None) == Success(1)  # type: ignore[arg-type]  # the wrong type is the point

    failing = composed_late(handle, info, Surroundings(middleware=[picky])).within(context=False)
    answers = [await failing(None) for _ in range(2)]  # type: ignore[arg-type]  # the wrong type is the point

    assert answers[0] == answers[1]
    assert isinstance(answers[0], Failure)
    assert isinstance(answers[0].failure(), HandlerCrashed)
    assert len(caplog.records) == 1


def test_an_audience_is_who_hears_the_class_or_a_base(info: HandlerInfo, delivering: Delivering) -> None:
    """Subscribers of the class and of its bases are found, in order, under the event's own name."""

    def entry(name: str, *events: type[Event]) -> Entry:
        subscriber = attrs.evolve(info, kind="event", subscriber=name)
        return Entry(subscriber, handle, {event: f"shop.{event.__name__}" for event in events})

    entries = (entry("all", Event), entry("placed", Placed), entry("both", Happened, Placed))
    registry = Registry({}, entries, {}, {}, {Happened: PublishStrategy.SEQUENTIAL}, ())
    audiences = Audiences(registry, dict.fromkeys(entries, handle), Surroundings(), composed, delivering)

    placed, happened = audiences.of(Placed), audiences.of(Happened)

    assert [s.name for s in placed.subscribers] == ["all", "placed", "both"]
    assert [s.name for s in happened.subscribers] == ["all", "both"]
    assert placed.event_type == "shop.Placed"
    assert {(s.handler.message, s.handler.message_type) for s in placed.subscribers} == {
        (Placed, "shop.Placed")
    }
    assert audiences.of(type("New", (Placed,), {})).event_type == "New"
    assert (placed.strategy, audiences.of(Event).strategy) == (
        PublishStrategy.SEQUENTIAL,
        PublishStrategy.CONCURRENT,
    )
