from typing import Any

import attrs
import punq
import pytest
from returns.result import Failure, Result, Success

from cqrs import Command, Event, Feature, MessageContext, Problem, Query
from cqrs.context import Emit
from cqrs.declarations import MESSAGE
from cqrs.dependency_graph import Examination, wanted_by
from cqrs.problems import Code
from cqrs.registry import register


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Find(Query[int, str]):
    """A query."""


@attrs.frozen
class Placed(Event):
    """An event."""


class Session:
    """Lives for one message."""


class Repository:
    """Holds a session."""

    def __init__(self, session: Session) -> None:
        self.session = session


class Outbox:
    """Holds what emits events."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit


class Optional:
    """Would hold a session if there were one."""

    def __init__(self, session: Session | None = None) -> None:
        self.session = session


def problems_of(compose_app: Any, feature: Feature, **options: Any) -> tuple[Problem, ...]:
    checked = compose_app(feature, **options).check()
    return checked.failure() if isinstance(checked, Failure) else ()


def needing(kind: type, message: type = Place) -> Feature:
    feature = Feature("orders")

    async def handle(_message: Any, *, needed: kind) -> Result[int, str]:  # type: ignore[valid-type]  # a type that the test chooses
        return Success(1 if needed else 0)

    feature.handles(message)(handle)
    return feature


@pytest.mark.parametrize("holder", [Repository, Optional])
@pytest.mark.parametrize("way", ["provided", "registered"])
def test_what_is_made_once_cannot_hold_what_lives_for_one_message(
    holder: type,
    way: str,
    compose_app: Any,
) -> None:
    """A captive dependency is found before the app starts, with the path to it and the way out."""
    feature = needing(holder)
    feature.provides(Session, lifetime=MESSAGE)
    container = punq.Container()
    if way == "registered":
        container.register(holder)
    else:
        feature.provides(holder)

    (problem,) = problems_of(compose_app, feature, container=container)

    assert problem.code is Code.CAPTIVE_DEPENDENCY
    assert f"needed: {holder.__name__} → session: Session" in problem.text
    assert "lifetime=MESSAGE" in problem.fix


def test_what_lives_for_one_message_may_hold_it(compose_app: Any) -> None:
    """The same holder is fine with the lifetime of what it holds."""
    feature = needing(Repository)
    feature.provides(Session, lifetime=MESSAGE)
    feature.provides(Repository, lifetime=MESSAGE)

    assert problems_of(compose_app, feature) == ()


def test_emit_and_context_live_for_one_message(compose_app: Any) -> None:
    """A service that is made once would emit into the first message's buffer for ever."""
    feature = needing(Outbox)
    feature.provides(Outbox)

    (problem,) = problems_of(compose_app, feature)

    assert problem.code is Code.CAPTIVE_DEPENDENCY
    assert "keep the Emit of one of them" in problem.text


def test_a_query_handler_emits_nothing(compose_app: Any) -> None:
    """Not directly, and not through what it needs."""
    through = needing(Outbox, Find)
    through.provides(Outbox, lifetime=MESSAGE)

    for feature in (needing(Emit, Find), through):
        (problem,) = problems_of(compose_app, feature)
        assert problem.code is Code.QUERY_EMITS
    assert problems_of(compose_app, needing(Emit, Place)) == ()
    assert problems_of(compose_app, needing(MessageContext, Find)) == ()


def test_who_emits_needs_an_event_bus(compose_app: Any) -> None:
    """An event that no bus could take is a problem at the start, not a loss at run time."""
    (problem,) = problems_of(compose_app, needing(Emit), enable_event_bus=False)

    assert problem.code is Code.BUS_DISABLED
    assert "emits events" in problem.text


def test_problems_of_a_deep_graph_are_all_found(compose_app: Any) -> None:
    """Captive, missing and cyclic at once, each with its own path."""
    feature = needing(Repository)
    feature.provides(Repository)
    feature.provides(Session, lambda clock: Session(), lifetime=MESSAGE)  # noqa: ARG005 - its annotation is missing

    codes = {problem.code for problem in problems_of(compose_app, feature)}

    assert codes == {Code.CAPTIVE_DEPENDENCY, Code.UNREADABLE_SIGNATURE}


def test_an_examination_knows_who_asks_for_what() -> None:
    """Whether anybody asks for a type decides what is set up at all."""
    feature = needing(Session)
    (entry,) = register((feature,), {"command": True, "query": True, "event": True}).entries()

    examination = Examination((), {entry: frozenset({Session})})

    assert examination.asks(Session)
    assert not examination.asks(MessageContext)
    assert [parameter.service for parameter in wanted_by(entry).unwrap()] == [Session]


def test_a_transient_class_that_several_handlers_hold_is_a_warning(compose_app: Any) -> None:
    """Punq makes an instance for each by default, which surprises who counts on sharing it; a singleton does not."""
    feature = needing(Session)

    @feature.handles(Find)
    async def find(_query: Find, *, session: Session) -> Result[int, str]:
        return Success(1 if session else 0)

    transient = compose_app(feature, container=punq.Container().register(Session)).check().unwrap()
    single = punq.Container().register(Session, scope=punq.Scope.singleton)

    (warning,) = transient.warnings
    assert warning.code is Code.SHARED_TRANSIENT
    assert "needed by 2 handlers" in warning.text
    assert warning.place.startswith("tests/test_dependency_graph.py:")
    assert compose_app(feature, container=single).check().unwrap().warnings == ()
    assert (
        compose_app(needing(Session), container=punq.Container().register(Session)).check().unwrap().warnings
        == ()
    )


def test_what_no_handler_asks_for_is_examined_too(compose_app: Any) -> None:
    """It is made when the app starts all the same: what it lacks is found before, once, with the path to it."""
    feature = Feature("orders")
    feature.provides(Repository)
    feature.provides(Outbox)

    missing, captive = problems_of(compose_app, feature)

    assert (missing.code, captive.code) == (Code.MISSING_DEPENDENCY, Code.CAPTIVE_DEPENDENCY)
    assert missing.text == "provides(Repository) → session: Session: nothing is registered for Session."
    assert missing.place.startswith("tests/test_dependency_graph.py:")
