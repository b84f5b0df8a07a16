import importlib
from pathlib import Path
from typing import Any

import attrs
import pytest
from returns.future import future_safe
from returns.result import Result, Success

from cqrs import Command, Event, Feature, Query
from cqrs.problems import Code, Problem
from cqrs.registry import Registry, register

ALL = {"command": True, "query": True, "event": True}


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Find(Query[int, str]):
    """A query."""


@attrs.frozen
class Placed(Event):
    """An event."""


@attrs.frozen
class Cancelled(Event):
    """Another event."""


@attrs.define
class Unhashable(Event):
    """An event whose instances cannot be hashed."""


async def place(_message: Any) -> Result[int, str]:
    return Success(1)


async def place_otherwise(_message: Any) -> Result[int, str]:
    return Success(2)


def not_async(_message: Any) -> Result[int, str]:
    return Success(1)


@future_safe
async def not_lifted(_message: Any) -> int:
    """A function that answers with a FutureResult."""
    return 1


async def generates(_message: Any) -> Any:
    yield Success(1)


class Handler:
    """A class handler."""

    async def __call__(self, _command: Place) -> Result[int, str]:
        """Handle."""
        return Success(1)


class SyncHandler:
    """A class handler that is not async."""

    def __call__(self, _command: Place) -> Result[int, str]:
        """Handle."""
        return Success(1)


class Mute:
    """A class that cannot be called."""


def registry_of(feature: Feature, **enabled: bool) -> Registry:
    return register([feature], {**ALL, **enabled})  # type: ignore[dict-item]  # the wrong type is the point


def the_problem(registry: Registry) -> Problem:
    (problem,) = registry.problems
    return problem


def place_in_this_file(problem: Problem, line: str) -> bool:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    file, _, number = problem.place.rpartition(":")
    return file.endswith("test_registry.py") and lines[int(number) - 1].startswith(line)


def test_every_kind_of_handler_is_registered() -> None:
    """Functions, classes and instances that can be awaited are handlers without a problem."""
    feature = Feature("orders")
    feature.handles(Place)(Handler)
    feature.handles(Find)(place)
    feature.subscribes(Placed)(Handler())

    registry = registry_of(feature)

    assert registry.problems == ()
    assert [entry.info.kind for entry in registry.entries()] == ["command", "query", "event"]


def test_a_second_handler_is_a_problem_that_names_both() -> None:
    """Two handlers of one command are told with both names and both places."""
    feature = Feature("orders")
    feature.handles(Place)(place)
    feature.handles(Place)(place_otherwise)

    problem = the_problem(registry_of(feature))

    assert problem.code is Code.DUPLICATE_HANDLER
    assert f"{__name__}.place at " in problem.text
    assert f"{__name__}.place_otherwise" in problem.text
    assert place_in_this_file(problem, "async def place_otherwise")


def test_the_same_function_twice_is_no_problem() -> None:
    """A declaration that is repeated counts once."""
    feature = Feature("orders")
    for _ in range(2):
        feature.handles(Place)(place)
        feature.subscribes(Placed, name="mail")(place)

    registry = registry_of(feature)

    assert registry.problems == ()
    assert len(list(registry.entries())) == 2


KEPT = """
from cqrs import Command, Event, Feature

class Place(Command[int, str]): ...
class Placed(Event): ...
class Stock: ...
orders = Feature("orders")
"""

ANEW = """
from functools import wraps
from returns.result import Success
from shop_kept import Place, Placed, Stock, orders

def logged(function):
    @wraps(function)
    async def around(message):
        return await function(message)
    return around

@orders.handles(Place)
@logged
async def place(command):
    return Success(1)

@orders.subscribes(Placed)
async def send(event):
    return Success(None)

class Bill:
    async def __call__(self, event):
        return Success(None)

orders.subscribes(Placed, name="bill")(Bill)

def make_stock() -> Stock:
    return Stock()

orders.provides(Stock, make_stock)
"""


def test_a_module_that_is_imported_anew_declares_the_same_again(site: Path) -> None:
    """Its functions and classes are new objects of old definitions: none is a second one, and the latest count."""
    (site / "shop_kept.py").write_text(KEPT)
    (site / "shop_anew.py").write_text(ANEW)
    handlers = importlib.import_module("shop_anew")
    old = (handlers.place, handlers.send, handlers.Bill, handlers.make_stock)
    importlib.reload(handlers)
    new = (handlers.place, handlers.send, handlers.Bill, handlers.make_stock)

    registry = registry_of(handlers.orders)

    assert registry.problems == ()
    assert tuple(entry.handler for entry in registry.entries()) == new[:3]
    assert [providing.factory for providing in registry.providings.values()] == [new[3]]
    assert not set(old) & set(new)


def test_functions_that_are_made_are_not_imported_anew() -> None:
    """Two closures of one place are two handlers, and so are two methods of one name: neither is lost in silence."""

    def made(number: int) -> Any:
        async def handler(_command: Place) -> Result[int, str]:
            return Success(number)

        return handler

    for first, second in [(made(1), made(2)), (Handler().__call__, Handler().__call__)]:
        feature = Feature("orders")
        feature.handles(Place)(first)
        feature.handles(Place)(second)

        assert the_problem(registry_of(feature)).code is Code.DUPLICATE_HANDLER


def test_one_function_subscribed_twice_to_different_events_is_not_lost() -> None:
    """Two declarations of one subscriber are two subscribers, which then need two names."""
    unnamed, named = Feature("unnamed"), Feature("named")
    for feature, names in [(unnamed, [None, None]), (named, ["a", "b"])]:
        feature.subscribes(Placed, name=names[0])(place)
        feature.subscribes(Cancelled, name=names[1])(place)

    assert the_problem(registry_of(unnamed)).code is Code.DUPLICATE_SUBSCRIBER
    assert registry_of(named).problems == ()
    assert len(registry_of(named).subscribers) == 2


def test_two_subscribers_of_one_name_are_a_problem() -> None:
    """A subscriber's name is unique in the app; the problem names both."""
    feature = Feature("orders")
    feature.subscribes(Placed, name="mail")(place)
    feature.subscribes(Cancelled, name="mail")(place_otherwise)

    problem = the_problem(registry_of(feature))

    assert problem.code is Code.DUPLICATE_SUBSCRIBER
    assert "'mail'" in problem.text
    assert place_in_this_file(problem, "async def place_otherwise")


@pytest.mark.parametrize("handler", [not_async, not_lifted, generates, SyncHandler, Mute, SyncHandler()])
def test_what_is_not_async_is_a_problem(handler: Any) -> None:
    """Sync functions, FutureResults, generators and classes without an async __call__ are told with the way out."""
    feature = Feature("orders")
    feature.handles(Place)(handler)

    problem = the_problem(registry_of(feature))

    assert problem.code is Code.NOT_ASYNC
    assert "lift(...)" in problem.fix


@pytest.mark.parametrize(
    "message", [Placed, Event, int, "Place", Place(), None, ["Place"], Query[int, str]], ids=repr
)
def test_handles_takes_commands_and_queries_only(message: Any) -> None:
    """An event, another class or an instance is told with the handler's place; nothing is registered."""
    feature = Feature("orders")
    feature.handles(message)(place)

    registry = registry_of(feature)

    assert the_problem(registry).code is Code.WRONG_KIND
    assert place_in_this_file(the_problem(registry), "async def place")
    assert list(registry.entries()) == []


@pytest.mark.parametrize("event", [Place, Find, int, "Placed", Placed(), Unhashable(), None], ids=repr)
def test_subscribes_takes_events_only(event: Any) -> None:
    """A command, another class or an instance among the events is told, and the subscriber is left out."""
    feature = Feature("orders")
    feature.subscribes(Placed, event)(place)

    registry = registry_of(feature)

    assert the_problem(registry).code is Code.WRONG_KIND
    assert registry.subscribers == ()


def test_a_subscriber_of_nothing_is_a_problem() -> None:
    """`subscribes()` without an event is told."""
    feature = Feature("orders")
    feature.subscribes()(place)  # type: ignore[call-overload]  # the wrong call is the point

    assert the_problem(registry_of(feature)).code is Code.WRONG_KIND


@pytest.mark.parametrize("kind", ["command", "query", "event"])
def test_what_needs_a_disabled_bus_is_a_problem(kind: str) -> None:
    """A handler or subscriber of a bus that is switched off is told with the argument that switched it off."""
    feature = Feature("orders")
    feature.handles(Place)(place)
    feature.handles(Find)(place)
    feature.subscribes(Placed)(place)

    problem = the_problem(registry_of(feature, **{kind: False}))

    assert problem.code is Code.BUS_DISABLED
    assert f"the {kind} bus is disabled" in problem.text
    assert f"enable_{kind}_bus=False" in problem.fix


def test_a_service_that_is_provided_twice_is_ambiguous() -> None:
    """Two factories of one service are told; the same one twice is not."""
    feature = Feature("orders")
    feature.provides(Handler)
    feature.provides(Handler)
    assert registry_of(feature).problems == ()

    feature.provides(Handler, Mute)  # type: ignore[arg-type]  # the wrong type is the point

    problem = the_problem(registry_of(feature))
    assert problem.code is Code.AMBIGUOUS_DEPENDENCY
    assert f"{__name__}.Handler is provided twice" in problem.text
    assert place_in_this_file(problem, "class Mute")


def test_names_grow_only_where_they_clash() -> None:
    """A message is called by its class; two of one name by module and class."""
    north, south = (type("Place", (Command,), {"__module__": module}) for module in ("north", "south"))
    feature = Feature("orders")
    feature.handles(north)(place)
    feature.handles(south)(place)
    feature.handles(Find)(place)
    feature.subscribes(Placed, Cancelled, name="mail")(place)

    registry = registry_of(feature)

    assert [e.info.message_type for e in registry.entries()] == [
        "north.Place",
        "south.Place",
        "Find",
        "Placed",
    ]
    assert registry.subscribers[0].events == {Placed: "Placed", Cancelled: "Cancelled"}
    assert registry.subscribers[0].info.subscriber == "mail"
