import asyncio
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import (
    Command,
    Fault,
    Feature,
    HandlerCrashed,
    HandlerInfo,
    Instrument,
    Message,
    Next,
    Query,
    current_context,
)
from cqrs.caching import CachePolicy
from cqrs.hook_failures import HookFailures
from cqrs.middleware import Kind
from cqrs.plugins import Plugin, PluginBuilder
from cqrs.wrapping import SLOTS, Slot, Wrap, wrapped

Step = Callable[[Next], Next]


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Find(Query[int, str]):
    """A query."""


class Counting:
    """A pipeline that counts how often it ran."""

    def __init__(self) -> None:
        self.runs = 0

    async def __call__(self, _message: Message[Any, Any], /) -> Result[Any, Any]:
        """Answer with the number of this run."""
        self.runs += 1
        await asyncio.sleep(0)
        return Success(self.runs)


def around(step: Step) -> Callable[[Next, HandlerInfo], Next]:
    return lambda next, _handler: step(next)


def info_of(kind: Kind) -> HandlerInfo:
    return HandlerInfo(kind, object, "PlaceOrder", "shop.place_order", "shop.py:1", cache=CachePolicy(ttl=30))


def shielded(step: Step, inner: Next, kind: Kind = "command") -> tuple[Next, HookFailures]:
    failures = HookFailures()
    wrap = Wrap("outside", around(step), "swr")
    return wrapped(inner, info_of(kind), [wrap], "outside", failures), failures


def raises_before(_next: Next) -> Next:
    async def call(_message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
        raise OSError("disk full")

    return call


def raises_after(next: Next) -> Next:
    async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
        await next(message)
        raise OSError("disk full")

    return call


def answers_with_nothing(next: Next) -> Next:
    async def call(message: Message[Any, Any], /) -> Any:
        await next(message)

    return call


def raises_after_in_a_task(next: Next) -> Next:
    async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
        await asyncio.ensure_future(next(message))
        raise OSError("disk full")

    return call


@pytest.mark.parametrize(
    "step",
    [raises_before, raises_after, answers_with_nothing, raises_after_in_a_task],
    ids=lambda s: s.__name__,
)
async def test_a_plugins_middleware_that_fails_changes_no_answer(
    step: Step, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether it raises before or after the handler, or answers with no Result: one run, its answer, one log line."""
    counting = Counting()
    pipeline, failures = shielded(step, counting)

    answers = [await pipeline(Place()), await pipeline(Place())]

    assert answers == [Success(1), Success(2)]
    assert failures.counts == {("swr", "wrap_command"): 2}
    assert [record.getMessage() for record in caplog.records] == [
        "Plugin swr failed in wrap_command; dispatches go on without it."
    ]


@pytest.mark.parametrize(
    ("kind", "runs"), [("command", 1), ("event", 1), ("query", 2)], ids=["command", "event", "query"]
)
async def test_a_handler_that_may_still_run_is_run_again_only_to_answer_a_query(
    kind: Kind, runs: int
) -> None:
    """A middleware that starts the handler elsewhere and crashes before it ended: a command is not done twice."""
    counting = Counting()
    left: list[asyncio.Future[Any]] = []

    def abandons(next: Next) -> Next:
        async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
            left.append(asyncio.ensure_future(next(message)))
            await asyncio.sleep(0)
            raise OSError("disk full")

        return call

    pipeline, _ = shielded(abandons, counting, kind)
    answer = await pipeline(Place())
    await left[0]

    assert counting.runs == runs
    if kind == "query":
        assert answer == Success(2)
    else:
        assert isinstance(answer, Failure)
        fault = answer.failure()
        assert isinstance(fault, HandlerCrashed)
        assert fault.stage == "middleware"


@pytest.mark.parametrize("late", ["raises", "answers"])
async def test_cancellation_passes_a_middleware_that_replaces_it(late: str) -> None:
    """A middleware that turns a cancellation into an error of its own does not bring the handler to run again."""

    async def hang(_message: Message[Any, Any], /) -> Result[Any, Any]:
        await asyncio.sleep(60)
        return Success(1)

    def replaces(next: Next) -> Next:
        async def call(message: Message[Any, Any], /) -> Any:
            try:
                await next(message)
            except asyncio.CancelledError:
                if late == "raises":
                    raise OSError("interrupted") from None
            return None

        return call

    pipeline, _ = shielded(replaces, hang)
    task = asyncio.ensure_future(pipeline(Place()))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("step", "failed"),
    [(lambda next: next, 0), (lambda _next: 5, 1), (lambda _next: 1 / 0, 1)],
    ids=["nothing to do", "no function", "raises"],
)
def test_a_middleware_that_wraps_nothing_is_not_in_the_pipeline(step: Any, failed: int) -> None:
    """Giving `next` back, or failing to compose, leaves the pipeline exactly as it is; only failing is counted."""
    counting = Counting()

    pipeline, failures = shielded(step, counting)

    assert pipeline is counting
    assert sum(failures.counts.values()) == failed


async def test_only_the_slot_is_composed_and_the_first_is_outermost() -> None:
    """Middleware of other slots is left out; the order is that of registration, outside to inside."""
    order: list[str] = []

    def noting(name: str, slot: Slot) -> Wrap:
        def step(next: Next) -> Next:
            async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
                order.append(name)
                return await next(message)

            return call

        return Wrap(slot, around(step), name)

    wraps = [noting("a", "cache"), noting("b", "outside"), noting("c", "cache")]
    pipeline = wrapped(Counting(), info_of("query"), wraps, "cache", HookFailures())
    await pipeline(Find())

    assert order == ["a", "c"]


class Layered(Plugin):
    """A plugin with a middleware in every slot, and an instrument that hangs around."""

    name = "layered"

    def __init__(self, order: list[str]) -> None:
        self.order = order

    def configure(self, builder: PluginBuilder, /) -> Any:
        """Hang a noting middleware in each slot."""
        wraps = {
            "command": builder.wrap_commands,
            "query": builder.wrap_queries,
            "event": builder.wrap_events,
        }
        for kind, slots in SLOTS.items():
            for slot in slots:
                wraps[kind](around(noting_step(slot, self.order)), slot)
        return Success(None)


def noting_step(name: str, order: list[str]) -> Step:
    def step(next: Next) -> Next:
        async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
            order.append(name)
            return await next(message)

        return call

    return step


async def test_the_slots_are_around_the_users_middleware_and_inside_it(compose_app: Any) -> None:
    """`outside` comes before the user's middleware; `cache` and `invalidation` after it; `cqrs handlers` says so."""
    order: list[str] = []
    feature = Feature("orders")

    @feature.handles(Place)
    async def place(_command: Place) -> Result[int, str]:
        order.append("handler")
        return Success(1)

    @feature.handles(Find)
    async def find(_query: Find) -> Result[int, str]:
        order.append("handler")
        return Success(1)

    feature.caches(Find, ttl=30)
    feature.invalidates(Place, queries=(Find,))

    def user(next: Next, _handler: HandlerInfo) -> Next:
        return noting_step("user", order)(next)

    app = compose_app(feature, plugins=(Layered(order),), middleware=[user])
    placed, found = (handler.stages for handler in app.check().unwrap().handlers)
    async with app as bus:
        await bus.commands.execute(Place())
        await bus.queries.execute(Find())

    assert order == ["outside", "user", "invalidation", "handler", "outside", "user", "cache", "handler"]
    assert placed[:5] == (
        "context", "barrier", "outside layered", f"middleware {user.__qualname__}", "invalidation layered",
    )  # fmt: skip
    assert found[4] == "cache layered"


async def test_what_nobody_declared_costs_nothing(compose_app: Any) -> None:
    """A cache that is installed stands around no handler that is not cached and invalidates nothing; no context either."""

    class Inside(Layered):
        def configure(self, builder: PluginBuilder, /) -> Any:
            builder.wrap_queries(around(noting_step("cache", self.order)), "cache")
            builder.wrap_commands(around(noting_step("invalidation", self.order)), "invalidation")
            builder.wrap_events(around(noting_step("invalidation", self.order)), "invalidation")
            return Success(None)

    order: list[str] = []
    feature = Feature("orders")
    seen: list[object] = []

    @feature.handles(Place)
    async def place(_command: Place) -> Result[int, str]:
        seen.append(current_context())
        return Success(1)

    @feature.handles(Find)
    async def find(_query: Find) -> Result[int, str]:
        return Success(1)

    app = compose_app(feature, plugins=(Inside(order),))
    stages = [handler.stages for handler in app.check().unwrap().handlers]
    async with app as bus:
        await bus.commands.execute(Place())
        await bus.queries.execute(Find())

    assert (order, seen) == ([], [None])
    assert [len(each) for each in stages] == [2, 2]


async def test_one_cached_query_gives_the_whole_app_a_context(compose_app: Any) -> None:
    """What a handler sends finds its cause, whichever of the two is cached."""
    order: list[str] = []
    seen: list[object] = []
    feature = Feature("orders")

    @feature.handles(Place)
    async def place(_command: Place) -> Result[int, str]:
        seen.append(current_context())
        return Success(1)

    @feature.handles(Find)
    async def find(_query: Find) -> Result[int, str]:
        return Success(1)

    class Cache(Layered):
        def configure(self, builder: PluginBuilder, /) -> Any:
            builder.wrap_queries(around(noting_step("cache", self.order)), "cache")
            return Success(None)

    feature.caches(Find, ttl=30)
    async with compose_app(feature, plugins=(Cache(order),)) as bus:
        await bus.commands.execute(Place())

    assert seen != [None]


async def test_an_answer_from_a_cache_is_what_instruments_see(compose_app: Any) -> None:
    """A middleware of a plugin that answers without the handler is asked once, and no instrument changes that."""
    lookups: list[object] = []
    feature = Feature("orders")

    @feature.handles(Find)
    async def find(_query: Find) -> Result[int, str]:
        return Success(1)

    feature.caches(Find, ttl=30)

    class Cache(Plugin):
        name = "cache"

        def configure(self, builder: PluginBuilder, /) -> Any:
            def step(_next: Next) -> Next:
                async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
                    lookups.append(message)
                    return Success(99)

                return call

            builder.wrap_queries(around(step), "cache")
            return Success(None)

    class Around(Instrument):
        def around(self, next: Next, _handler: HandlerInfo, /) -> Next:
            async def call(message: Message[Any, Any], /) -> Result[Any, Any | Fault]:
                await next(message)
                return Failure("of the instrument")

            return call

    async with compose_app(feature, plugins=(Cache(),), instruments=[Around()]) as bus:
        answer = await bus.queries.execute(Find())

    assert answer == Success(99)
    assert len(lookups) == 1
