import types
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from returns.result import Result, Success

from cqrs import Command, Event, Fault, Feature, HandlerInfo, Instrument, Message, Next
from cqrs.dispatch import guard
from cqrs.pipeline import Surroundings, compose, stages
from cqrs.plugins import Plugin


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Placed(Event):
    """An event."""


class Watching(Instrument):
    """An instrument that hangs around dispatches."""

    name = "watching"

    def around(self, next: Next, _handler: HandlerInfo, /) -> Next:
        """Pass on."""

        async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
            return await next(message)

        return call


class Deaf(Instrument):
    """An instrument that overrides nothing."""


class Idle(Plugin):
    """A plugin that is installed, active, and adds nothing that is used."""

    name = "idle"

    def configure(self, builder: Any, /) -> Any:
        """Add an instrument without hooks."""
        builder.instrument(Deaf())
        return Success(None)


def passing(next: Next, _handler: HandlerInfo) -> Next:
    async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
        return await next(message)

    return call


HOOKS = ["published", "delivered", "retried", "dead_lettered", "refreshed", "app_started", "app_stopped"]


async def handle(_message: object) -> Result[Any, Any]:
    return Success(1)


def codes(function: Any, seen: set[int] | None = None) -> Iterator[types.CodeType]:
    """Walk a pipeline: the code of each function in it, outside to inside."""
    seen = set() if seen is None else seen
    if not isinstance(function, types.FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    yield function.__code__
    for cell in function.__closure__ or ():
        yield from codes(cell.cell_contents, seen)


def shape(app: Any) -> dict[object, list[types.CodeType]]:
    """The structure of every pipeline of a running app."""
    pipelines = {m: list(codes(p)) for by_type in app._pipelines.values() for m, p in by_type.items()}
    deliveries = {
        event: [code for subscriber in audience.subscribers for code in codes(subscriber.deliver)]
        for event, audience in app._listeners.audiences.items()
    }
    return {
        **pipelines,
        **deliveries,
        "watched": [app._listeners.watched],
        "hooks": [bool(vars(app._listeners.hooks)[hook]) for hook in HOOKS],
    }


@pytest.mark.parametrize(
    ("around", "timeout", "expected"),
    [
        (Surroundings(), None, ["guard", "handler shop.place_order"]),
        (Surroundings(), 2.0, ["guard", "timeout 2 s", "handler shop.place_order"]),
        (
            Surroundings(middleware=[passing, passing]),
            None,
            ["barrier", "middleware passing", "middleware passing", "guard", "handler shop.place_order"],
        ),
        (
            Surroundings(instruments=[Watching(), Deaf()]),
            None,
            ["context", "instrument watching", "guard", "handler shop.place_order"],
        ),
        (
            Surroundings(middleware=[passing], instruments=[Watching(), Watching()]),
            0.5,
            [
                "context",
                "instrument watching",
                "instrument watching",
                "barrier",
                "middleware passing",
                "guard",
                "timeout 0.5 s",
                "handler shop.place_order",
            ],
        ),
    ],
    ids=["bare", "timeout", "middleware", "instrument", "all"],
)
def test_only_what_is_used_is_in_the_pipeline(
    around: Surroundings, timeout: float | None, expected: list[str], info: HandlerInfo
) -> None:
    """The stages are named outside to inside; what an app does not use has no stage."""
    assert list(stages(attrs.evolve(info, timeout=timeout), around)) == expected


def test_a_pipeline_has_one_function_per_stage(info: HandlerInfo) -> None:
    """What is composed is what is named: a guard around the handler, a barrier around the middleware, and no more."""
    bare = list(codes(compose(handle, info, Surroundings())))
    layered = list(codes(compose(handle, info, Surroundings(middleware=[passing]))))

    assert bare == [guard(handle, info).__code__, handle.__code__]  # type: ignore[attr-defined]  # the name is made at run time
    assert [code.co_name for code in layered] == ["guarded", "call", "guarded", "handle"]


async def test_a_pipeline_answers(info: HandlerInfo) -> None:
    """However much hangs around it, the handler's own result comes out."""
    around = Surroundings(middleware=[passing, passing], instruments=[Watching(), Watching()])

    assert await compose(handle, attrs.evolve(info, timeout=5.0), around)(Place()) == Success(1)


@pytest.mark.parametrize("junk", [None, 3])
def test_a_middleware_that_gives_no_function_cannot_be_composed(junk: Any, info: HandlerInfo) -> None:
    """A factory that forgets to return its function is refused when the app starts, by name."""

    def forgetful(_next: Next, _handler: HandlerInfo) -> Any:
        return junk

    with pytest.raises(TypeError, match=f"forgetful gave a {type(junk).__name__}, not a function"):
        compose(handle, info, Surroundings(middleware=[forgetful, passing]))


async def test_a_plugin_that_is_off_leaves_no_trace(compose_app: Any) -> None:
    """With a plugin that adds nothing the pipelines have the same functions in the same order as without it."""
    feature = Feature("orders")
    feature.handles(Place)(handle)
    feature.subscribes(Placed, name="a")(handle)
    feature.subscribes(Placed, name="b")(handle)

    async with compose_app(feature) as without, compose_app(feature, plugins=(Idle(),)) as idle:
        assert idle.plugins[0].state == "active"
        assert shape(idle) == shape(without)
    async with compose_app(feature, instruments=[Watching()]) as watched, compose_app(feature) as without:
        assert shape(watched) != shape(without)
