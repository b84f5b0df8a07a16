"""Group D, what happens within one dispatch; each test is named by its row of the fault catalogue."""

import asyncio
import dataclasses
import gc
import importlib.util
import itertools
import logging
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import anyio
import attrs
import punq
import pytest
from returns.result import Failure, Result, Success

from cqrs import (
    MESSAGE,
    Command,
    CommandBus,
    CompositionError,
    ContractBroken,
    Event,
    Feature,
    HandlerCrashed,
    HandlerInfo,
    HandlerNotFound,
    Instrument,
    Next,
    Query,
    RetryPolicy,
    TimedOut,
    current_context,
)
from cqrs.instrumentation import Finished, outcome_of
from cqrs.problems import Code

Item = TypeVar("Item")


def eager_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]  # since Python 3.12
    return loop


BACKENDS: dict[str, Any] = {"asyncio": ("asyncio", {}), "debug": ("asyncio", {"debug": True})}
if sys.version_info >= (3, 12):
    BACKENDS["eager"] = ("asyncio", {"loop_factory": eager_loop})
if importlib.util.find_spec("trio"):
    BACKENDS["trio"] = ("trio", {})


@pytest.fixture(params=BACKENDS.values(), ids=BACKENDS.keys())
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Every way in which coroutines can run."""
    return request.param


@attrs.frozen
class Place(Command[int, str]):
    """A command."""

    number: int = 0


@attrs.frozen
class Reserve(Command[int, str]):
    """A command that another one sends."""


class Watching(Instrument):
    """Keeps every outcome."""

    name = "watching"

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def finished(self, handler: HandlerInfo, /) -> Finished:
        """Keep it."""
        del handler

        def tell(_context: Any, _began: int, _ended: int, answer: Any, /) -> None:
            self.outcomes.append(outcome_of(answer))

        return tell


class Clock:
    """Time that passes by being slept through."""

    def __init__(self) -> None:
        self.now = 0

    def time_ns(self) -> int:
        """Now."""
        return self.now

    def monotonic_ns(self) -> int:
        """Now."""
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        """Let time pass."""
        self.now += int(seconds * 1e9)


def handling(handler: Callable[..., Any], message: Any = Place, **options: Any) -> Feature:
    feature = Feature("orders")
    feature.handles(message, **options)(handler)
    return feature


def raising(error: BaseException) -> Any:
    async def place(_command: Place) -> Result[int, str]:
        raise error

    return place


async def number(command: Place) -> Result[int, str]:
    return Success(command.number)


async def answer_of(compose_app: Any, feature: Feature, message: Any = None, **options: Any) -> Any:
    async with compose_app(feature, **options) as bus:
        return await bus.commands.execute(message or Place())


async def test_d1_a_handler_that_raises(compose_app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets a value with type and text; the traceback, cause included, is logged once."""

    async def place(_command: Place) -> Result[int, str]:
        try:
            return Success({}["disk"])
        except KeyError as error:
            raise ValueError("order") from error

    watching = Watching()
    fault = (await answer_of(compose_app, handling(place), instruments=[watching])).failure()

    assert isinstance(fault, HandlerCrashed)
    assert (fault.exception_type, fault.text, fault.stage) == ("builtins.ValueError", "order", "handler")
    assert isinstance(fault.exception.__cause__, KeyError)
    assert fault.exception.__traceback__ is None
    (record,) = [record for record in caplog.records if record.name == "cqrs"]
    assert record.levelno == logging.ERROR
    assert "KeyError: 'disk'" in record.getMessage()
    assert watching.outcomes == ["error"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
async def test_d2_what_ends_a_program_passes(kind: type[BaseException], compose_app: Any) -> None:
    """It is no outcome of the handler's: it reaches the caller untouched, and is seen as cancelled."""
    watching, error = Watching(), kind()

    with pytest.raises(kind) as raised:
        await answer_of(compose_app, handling(raising(error)), instruments=[watching])

    assert raised.value is error
    assert watching.outcomes == ["cancelled"]


@pytest.mark.parametrize(
    ("returned", "named"),
    [(None, "NoneType"), ({}, "dict"), (Success(Success(1)), "Success[Success]"), (number, "function")],
)
async def test_d3_a_handler_that_returns_no_result(returned: Any, named: str, compose_app: Any) -> None:
    """The fault names the handler, what came back and how to mend it."""

    async def place(_command: Place) -> Any:
        return returned

    fault = (await answer_of(compose_app, handling(place))).failure()

    assert isinstance(fault, ContractBroken)
    assert fault.handler.endswith("place")
    assert fault.returned == named
    assert fault.hint


async def test_d3_a_coroutine_that_was_not_awaited(compose_app: Any) -> None:
    """A forgotten `await` is told like any other answer that is no Result."""
    forgotten: list[Any] = []

    async def place(command: Place) -> Any:
        forgotten.append(number(command))
        return forgotten[0]

    fault = (await answer_of(compose_app, handling(place))).failure()
    forgotten[0].close()

    assert (type(fault), fault.returned) == (ContractBroken, "coroutine")


async def test_d4_a_handler_that_hangs(compose_app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """At its deadline it is cancelled, cleans up, the caller gets a value, and one WARNING names handler and time."""
    cleaned: list[bool] = []

    async def place(_command: Place) -> Result[int, str]:
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append(True)
        return Success(1)

    fault = (await answer_of(compose_app, handling(place, timeout=0.01))).failure()

    assert isinstance(fault, TimedOut)
    assert fault.seconds == 0.01
    assert cleaned == [True]
    (line,) = [record for record in caplog.records if record.name == "cqrs"]
    assert line.levelname == "WARNING"
    assert line.getMessage() == f"command Place timed out in {fault.handler} after 0.01 s"


async def test_d5_a_caller_that_is_cancelled(compose_app: Any) -> None:
    """Cancellation passes after a shielded clean-up, and is the one outcome."""
    steps: list[str] = []
    watching, started = Watching(), anyio.Event()

    async def place(_command: Place) -> Result[int, str]:
        try:
            started.set()
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
                steps.append("cleaned up")
        return Success(1)

    async with (
        compose_app(handling(place), instruments=[watching]) as bus,
        anyio.create_task_group() as group,
    ):
        group.start_soon(bus.commands.execute, Place())
        await started.wait()
        group.cancel_scope.cancel()

    assert steps == ["cleaned up"]
    assert watching.outcomes == ["cancelled"]


async def test_d6_a_message_that_nobody_handles(compose_app: Any) -> None:
    """Up to three similar names and the call that would register a handler."""
    feature = handling(number)
    similar = [type(name, (Command,), {}) for name in ("Places", "Placing", "Replace", "Unlike")]
    for each in similar:
        feature.handles(each)(number)

    fault = (await answer_of(compose_app, feature, type("Placed", (Command,), {})())).failure()

    assert isinstance(fault, HandlerNotFound)
    assert len(fault.nearest) == 3
    assert "feature.handles(Placed)" in fault.hint


async def test_d7_two_handlers_of_one_message(compose_app: Any) -> None:
    """The app does not start; both places are named. The same function twice is no problem."""

    async def second(_command: Place) -> Result[int, str]:
        return Success(2)

    feature = handling(number)
    feature.handles(Place)(number)
    assert await answer_of(compose_app, feature) == Success(0)
    feature.handles(Place)(second)

    with pytest.raises(CompositionError) as refused:
        await answer_of(compose_app, feature)

    (problem,) = refused.value.problems
    assert problem.code is Code.DUPLICATE_HANDLER
    assert "number" in problem.text
    assert "second" in problem.text
    assert problem.text.count(f"{__file__.rpartition('/')[2]}:") + problem.place.count(".py:") == 2


async def test_d8_two_classes_of_one_name(compose_app: Any) -> None:
    """They are kept apart by what they are, and by their modules where people read them."""
    one, two = (
        types.new_class("Same", (Command,), exec_body=lambda body, name=name: body.update(__module__=name))
        for name in ("shop.one", "shop.two")
    )
    feature = Feature("orders")
    for message, answer in ((one, 1), (two, 2)):

        async def handle(_message: Any, answer: int = answer) -> Result[int, str]:
            return Success(answer)

        feature.handles(message)(handle)

    app = compose_app(feature)
    async with app as bus:
        assert [await bus.commands.execute(each()) for each in (one, two)] == [Success(1), Success(2)]
    assert [each.messages for each in app.check().unwrap().handlers] == [
        ("shop.one.Same",),
        ("shop.two.Same",),
    ]


async def test_d9_handlers_that_send_one_another_without_end(compose_app: Any) -> None:
    """The recursion is a crash that names the cycle, not the end of the process; the app goes on."""
    feature = Feature("endless")
    deepest: list[int] = []

    @feature.handles(Place)
    async def place(command: Place, *, bus: CommandBus) -> Result[int, Any]:
        deepest.append(command.number)
        return Success(7) if command.number < 0 else await bus.execute(Reserve())

    @feature.handles(Reserve)
    async def reserve(_command: Reserve, *, bus: CommandBus) -> Result[int, Any]:
        return await bus.execute(Place(len(deepest)))

    async with compose_app(feature) as bus:
        fault = (await bus.commands.execute(Place())).failure()
        assert await bus.commands.execute(Place(-1)) == Success(7)

    assert isinstance(fault, HandlerCrashed)
    assert fault.exception_type == "builtins.RecursionError"
    assert ("Place → Reserve → Place" in fault.text) or ("Reserve → Place → Reserve" in fault.text)
    assert len(deepest) > 20


def calling(times: int, *, before: bool = False, after: bool = False) -> Any:
    def middleware(next: Next, _handler: HandlerInfo) -> Next:
        async def call(message: Any, /) -> Any:
            if before:
                raise ValueError("before")
            answers = [await next(message) for _ in range(times)]
            if after:
                raise ValueError("after")
            return answers[-1] if answers else Failure("short")

        return call

    return middleware


@pytest.mark.parametrize(
    ("middleware", "runs", "expected"),
    [
        (calling(0, before=True), 0, "before"),
        (calling(1, after=True), 1, "after"),
        (calling(0), 0, Failure("short")),
        (calling(1), 1, Success(3)),
    ],
    ids=["before", "after", "never", "once"],
)
async def test_d15_a_middleware_that_raises_or_never_calls_on(
    middleware: Any, runs: int, expected: Any, compose_app: Any
) -> None:
    """What it raises is a crash of the middleware; not calling on is its own answer. Calling twice is a harness law."""
    ran: list[int] = []

    async def place(command: Place) -> Result[int, str]:
        ran.append(1)
        return Success(command.number)

    answer = await answer_of(compose_app, handling(place), Place(3), middleware=[middleware])

    assert len(ran) == runs
    if isinstance(expected, str):
        fault = answer.failure()
        assert (type(fault), fault.stage, fault.text) == (HandlerCrashed, "middleware", expected)
    else:
        assert answer == expected


async def test_d16_a_middleware_that_changes_the_message(compose_app: Any) -> None:
    """A frozen message cannot be changed under the handler's feet; one that can be is warned of by `check`."""

    @dataclasses.dataclass
    class Changeable(Command[int, str]):
        number: int = 0

    def changing(next: Next, _handler: HandlerInfo) -> Next:
        async def call(message: Any, /) -> Any:
            message.number = 99
            return await next(message)

        return call

    message = Place(3)
    fault = (await answer_of(compose_app, handling(number), message, middleware=[changing])).failure()

    assert fault.exception_type == "attr.exceptions.FrozenInstanceError"
    assert message.number == 3
    (warning,) = compose_app(handling(number, Changeable)).check().unwrap().warnings
    assert warning.code is Code.NOT_FROZEN


async def test_d17_registering_while_the_app_runs(compose_app: Any) -> None:
    """A running app is what it was when it started: handlers, subscribers, container may change, for the next start."""

    class Stock: ...

    class Heard(Event): ...

    async def reserve(_command: Reserve) -> Result[int, str]:
        return Success(7)

    async def place(_command: Place, *, stock: Stock) -> Result[Any, str]:
        feature.handles(Reserve)(reserve)
        feature.subscribes(Heard, name="late")(hear)
        container.register(Stock, instance=Stock())
        return Success(stock)

    async def hear(event: Heard) -> Result[None, str]:
        heard.append(event)
        return Success(None)

    first, heard = Stock(), list[Heard]()
    container = punq.Container().register(Stock, instance=first)
    feature = handling(place)
    app = compose_app(feature, container=container)

    async with app as bus:
        answers = [await bus.commands.execute(Place()) for _ in range(2)]
        assert isinstance((await bus.commands.execute(Reserve())).failure(), HandlerNotFound)
        assert (await bus.events.publish(Heard())).deliveries == ()

    assert [answer.unwrap() for answer in answers] == [first, first]
    assert heard == []


async def test_d18_ten_thousand_dispatches_at_once(compose_app: Any, anyio_backend: Any) -> None:
    """None is lost or mixed up, and others get their turn in between."""
    count = 10_000 if anyio_backend == BACKENDS["asyncio"] else 1_000
    answers: dict[int, Any] = {}
    turns: list[int] = []
    steps = itertools.count()

    async def place(command: Place) -> Result[int, str]:
        for _ in range(5):
            next(steps)
            await anyio.lowlevel.checkpoint()
        return Success(command.number)

    async with compose_app(handling(place)) as bus:

        async def send(each: int) -> None:
            answers[each] = await bus.commands.execute(Place(each))

        async def tick() -> None:
            while len(answers) < count:
                turns.append(next(steps))
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as group:
            group.start_soon(tick)
            for each in range(count):
                group.start_soon(send, each)

    assert answers == {each: Success(each) for each in range(count)}
    # In steps of the dispatches, not in time: between two turns of another task each of them takes two at most.
    gaps = [later - earlier for earlier, later in itertools.pairwise([0, *turns, next(steps)])]
    assert max(gaps) <= 2 * count + 2


async def test_d18_a_handler_that_is_not_async(compose_app: Any) -> None:
    """It is refused before it could block the loop."""

    def place(_command: Place) -> Result[int, str]:
        return Success(1)

    with pytest.raises(CompositionError) as refused:
        await answer_of(compose_app, handling(place))

    assert [problem.code for problem in refused.value.problems] == [Code.NOT_ASYNC]


@pytest.mark.parametrize(
    ("error", "policy", "runs"),
    [
        (ValueError("bug"), RetryPolicy(5), 1),
        (TimeoutError("slow"), RetryPolicy(3), 3),
        (ConnectionError("gone"), RetryPolicy(50, base=1.0, factor=1.0, jitter="none", budget=4.5), 5),
        (None, RetryPolicy(5), 1),
    ],
    ids=["a bug", "attempts", "budget", "success"],
)
async def test_d20_retries_end(
    error: Exception | None, policy: RetryPolicy, runs: int, compose_app: Any
) -> None:
    """A bug is not tried again, what is transient as often as its attempts and its budget allow, a success never."""
    attempts: list[int] = []

    async def place(_command: Place) -> Result[int, str]:
        context = current_context()
        attempts.append(0 if context is None else context.attempt)
        if error is not None:
            raise error
        return Success(1)

    answer = await answer_of(
        compose_app, handling(place, retry=policy), instruments=[Watching()], clock=Clock()
    )

    assert attempts == list(range(1, runs + 1))
    assert answer == Success(1) if error is None else answer.failure().exception is error


class Pool:
    """A dependency."""


class Egg:
    """Needs what needs it."""

    def __init__(self, hen: "Hen") -> None: ...


class Hen:
    """Needs what needs it."""

    def __init__(self, egg: Egg) -> None: ...


async def test_d21_a_dependency_that_is_missing_or_circular(compose_app: Any) -> None:
    """The app does not start; the path from the handler to the dependency is told."""

    async def place(_command: Place, *, pool: Pool, egg: Egg) -> Result[int, str]:
        return Success(hash((pool, egg)))

    container = punq.Container().register(Egg).register(Hen)
    with pytest.raises(CompositionError) as refused:
        await answer_of(compose_app, handling(place), container=container)

    texts = {problem.code: problem.text for problem in refused.value.problems}
    assert texts.keys() == {Code.MISSING_DEPENDENCY, Code.CYCLIC_DEPENDENCY}
    assert "place → pool: Pool" in texts[Code.MISSING_DEPENDENCY]
    assert "egg: Egg → hen: Hen → egg: Egg" in texts[Code.CYCLIC_DEPENDENCY]


async def test_d21_a_dependency_that_raises(compose_app: Any) -> None:
    """At the start it is a problem; made for one message, it is the crash of that dispatch, with its stage."""

    def pool() -> Pool:
        raise OSError("no route")

    async def place(_command: Place, *, pool: Pool) -> Result[int, str]:
        return Success(hash(pool))

    once, each = handling(place), handling(place)
    once.provides(Pool, pool)
    each.provides(Pool, pool, lifetime=MESSAGE)

    with pytest.raises(CompositionError, match="OSError: no route"):
        await answer_of(compose_app, once)
    fault = (await answer_of(compose_app, each)).failure()
    assert (type(fault), fault.stage, fault.text) == (HandlerCrashed, "dependency", "no route")


@attrs.frozen
class Base(Command[str, str]):
    """A command with a subclass."""


@attrs.frozen
class Derived(Base):
    """Handled only if it has a handler of its own."""


class Unhashable(Command[str, str]):
    """Compares by value and cannot be hashed."""

    __hash__ = None  # type: ignore[assignment]  # the point of it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unhashable)


@dataclasses.dataclass(frozen=True)
class Plain(Command[str, str]):
    """A dataclass without slots."""

    items: list[int]


@attrs.frozen
class Page(Query[str, str], Generic[Item]):
    """A generic message."""

    item: Item


async def test_d22_messages_are_matched_by_their_exact_class(compose_app: Any) -> None:
    """A subclass needs a handler of its own, a generic one is its class, and nothing is asked of equality or hash."""

    async def handle(message: Any) -> Result[str, str]:
        return Success(type(message).__name__)

    feature = Feature("shapes")
    for message in (Base, Unhashable, Plain, Page):
        feature.handles(message)(handle)

    async with compose_app(feature) as bus:
        for command in (Base(), Unhashable(), Plain([1])):
            assert await bus.commands.execute(command) == Success(type(command).__name__)
        assert (
            await bus.queries.execute(Page[int](1)) == await bus.queries.execute(Page("a")) == Success("Page")
        )
        assert isinstance((await bus.commands.execute(Derived())).failure(), HandlerNotFound)


@pytest.mark.parametrize("message", [Base | Unhashable, Page[int], int, "Base"], ids=str)
async def test_d22_what_is_no_message_class_is_refused(message: Any, compose_app: Any) -> None:
    """A union, a parametrised class, a class of another kind, a name: a problem at the start."""
    with pytest.raises(CompositionError) as refused:
        await answer_of(compose_app, handling(number, message))

    assert [problem.code for problem in refused.value.problems] == [Code.WRONG_KIND]


async def test_d23_a_crash_that_is_kept_keeps_nothing_else(compose_app: Any) -> None:
    """Whatever stood in the handler's variables is free again, however long the fault lives."""

    class Large: ...

    seen: list[weakref.ref[Large]] = []

    async def place(_command: Place) -> Result[int, str]:
        large = Large()
        seen.append(weakref.ref(large))
        try:
            large.missing  # type: ignore[attr-defined]  # noqa: B018 - raises, as the test wants
        except AttributeError as error:
            raise ExceptionGroup("outer", [ValueError("one"), error]) from error

    kept = await answer_of(compose_app, handling(place))
    gc.collect()

    assert isinstance(kept.failure(), HandlerCrashed)
    assert seen[0]() is None


class Broken(Instrument):
    """An instrument of which every hook raises."""

    name = "broken"

    def around(self, next: Next, _handler: HandlerInfo, /) -> Next:
        """Raise after the dispatch."""

        async def call(message: Any, /) -> Any:
            await next(message)
            raise ValueError("around")

        return call

    def finished(self, handler: HandlerInfo, /) -> Finished:
        """Raise when told."""
        del handler

        def tell(*_told: Any) -> None:
            raise ValueError("finished")

        return tell


async def test_d24_telemetry_that_raises(compose_app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The Result is the handler's, the handler runs once, others go on, and each fault is counted and said once."""
    ran: list[int] = []
    watching = Watching()

    async def place(command: Place) -> Result[int, str]:
        ran.append(command.number)
        return Success(command.number)

    async with compose_app(handling(place), instruments=[Broken(), watching]) as bus:
        answers = [await bus.commands.execute(Place(each)) for each in range(5)]
        counts = dict(bus._hooks.failures.counts)

    assert answers == [Success(each) for each in range(5)]
    assert counts == {("broken", "around"): 5, ("broken", "finished"): 5}
    assert ran == list(range(5))
    assert watching.outcomes == ["success"] * 5
    assert len(caplog.records) == 2
