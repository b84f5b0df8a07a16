import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import anyio
import attrs
import pytest
from returns.result import Result, Success

from cqrs import Command, Event, Feature, HandlerInfo, Instrument, MessageContext, Next, current_context
from cqrs.instrumentation import Finished

Answering = Callable[[Next, Any], Any]


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Placed(Event):
    """An event."""


class Watching(Instrument):
    """An instrument that does with each dispatch what it is told to."""

    def __init__(self, name: str, answering: Answering) -> None:
        self.name = name
        self._answering = answering

    def around(self, next: Next, _handler: HandlerInfo, /) -> Next:
        """Answer as told."""

        async def call(message: Any, /) -> Any:
            return await self._answering(next, message)

        return call


async def honest(next: Next, message: Any) -> Any:
    return await next(message)


async def raises_before(_next: Next, _message: Any) -> Any:
    raise ValueError("before")


async def raises_after(next: Next, message: Any) -> Any:
    await next(message)
    raise ValueError("after")


async def swallows(next: Next, message: Any) -> Any:
    await next(message)


async def replaces(next: Next, message: Any) -> Any:
    await next(message)
    return Success("forged")


async def never_calls(_next: Next, _message: Any) -> Any:
    return Success("forged")


async def calls_twice(next: Next, message: Any) -> Any:
    assert await next(message) is await next(message)


async def calls_in_a_task(next: Next, message: Any) -> Any:
    await asyncio.create_task(next(message))


ABUSES = [raises_before, raises_after, swallows, replaces, never_calls, calls_twice, calls_in_a_task]
FAILING = {raises_before, raises_after}


@pytest.fixture
def runs() -> list[object]:
    """The results that the handler returned, one per run."""
    return []


@pytest.fixture
def orders(runs: list[object]) -> Feature:
    """A feature whose handler and subscriber keep what they answer."""
    feature = Feature("orders")

    async def place(_message: object) -> Result[int, str]:
        runs.append(Success(len(runs)))
        return runs[-1]  # type: ignore[return-value]  # the wrong type is the point

    feature.handles(Place)(place)
    feature.subscribes(Placed, name="place")(place)
    return feature


@pytest.fixture
def slow() -> Feature:
    """A feature whose handler runs until it is cancelled."""
    feature = Feature("slow")

    @feature.handles(Place)
    async def place(_command: Place) -> Result[int, str]:
        await anyio.sleep_forever()
        return Success(1)

    return feature


@pytest.mark.parametrize("where", ["alone", "outside", "inside"])
@pytest.mark.parametrize("abuse", ABUSES, ids=lambda abuse: abuse.__name__)
async def test_whatever_an_instrument_does_the_handlers_result_is_the_answer(
    abuse: Answering, where: str, compose_app: Any, orders: Feature, runs: list[object]
) -> None:
    """An instrument that raises, swallows, replaces, skips or repeats changes neither result nor number of runs."""
    bad, good = Watching("bad", abuse), Watching("good", honest)
    instruments = {"alone": [bad], "outside": [bad, good], "inside": [good, bad]}[where]

    async with compose_app(orders, instruments=instruments) as bus:
        answer = await bus.commands.execute(Place())
        report = await bus.events.publish(Placed())

    assert runs == [answer, report.deliveries[0].result]
    assert answer is runs[0]


@pytest.mark.parametrize("abuse", ABUSES, ids=lambda abuse: abuse.__name__)
async def test_the_answer_is_kept_behind_the_middleware(
    abuse: Answering, compose_app: Any, orders: Feature, runs: list[object]
) -> None:
    """With middleware, what the middleware answered is what the caller gets, and each runs once."""
    passes: list[object] = []

    def counting(next: Next, _handler: HandlerInfo) -> Next:
        async def call(message: Any, /) -> Any:
            passes.append(message)
            return (await next(message)).map(str)

        return call

    async with compose_app(orders, instruments=[Watching("bad", abuse)], middleware=[counting]) as bus:
        assert await bus.commands.execute(Place()) == Success("0")

    assert (len(runs), len(passes)) == (1, 1)


@pytest.mark.parametrize("abuse", FAILING, ids=lambda abuse: abuse.__name__)
async def test_a_hook_that_raises_is_logged_once_and_counted_each_time(
    abuse: Answering, compose_app: Any, orders: Feature, caplog: pytest.LogCaptureFixture
) -> None:
    """A hundred failures are one log line with the instrument's name and traceback, and a count of a hundred."""
    async with compose_app(orders, instruments=[Watching("bad", abuse)]) as bus:
        for _ in range(100):
            await bus.commands.execute(Place())
        counts = bus._listeners.hooks.failures.counts

    (record,) = caplog.records
    assert record.getMessage() == "Instrument bad failed in around; dispatches go on without it."
    assert record.exc_info is not None
    assert counts == {("bad", "around"): 100}


async def test_an_instrument_that_cannot_be_composed_is_left_out(
    compose_app: Any, orders: Feature, runs: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    """An `around` that raises, or gives no function, costs its own observation only; the other still sees all."""
    seen: list[object] = []

    class Raising(Instrument):
        def around(self, _next: Next, _handler: HandlerInfo, /) -> Next:
            raise ValueError("cannot")

    class Forgetful(Instrument):
        def around(self, _next: Next, _handler: HandlerInfo, /) -> Any:
            return None

    async def sees(next: Next, message: Any) -> Any:
        seen.append(message)
        return await next(message)

    instruments = [Raising(), Forgetful(), Watching("good", sees)]
    async with compose_app(orders, instruments=instruments) as bus:
        assert await bus.commands.execute(Place()) is runs[0]

    assert seen == [Place()]
    assert sorted(record.getMessage().split()[1].rpartition(".")[2] for record in caplog.records) == [
        "Forgetful",
        "Raising",
    ]


async def forgets_the_result(next: Next, message: Any) -> Any:
    # The classic: cancelled, `result` was never bound, and the finally clause raises in place of the cancellation.
    try:
        result = await next(message)
    finally:
        print(result)  # noqa: T201 - any use of the name will do
    return result


async def swallows_cancellation(next: Next, message: Any) -> Any:
    try:
        return await next(message)
    except BaseException:  # noqa: BLE001 - the abuse itself
        return Success("forged")


async def answers_after_cancellation(next: Next, message: Any) -> Any:
    try:
        return await next(message)
    except asyncio.CancelledError:
        raise ValueError("told wrong") from None


@pytest.mark.parametrize("where", ["outside", "inside"])
@pytest.mark.parametrize(
    "abuse",
    [honest, forgets_the_result, swallows_cancellation, answers_after_cancellation],
    ids=lambda abuse: abuse.__name__,
)
@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(2)], ids=repr)
async def test_what_ends_a_dispatch_passes_every_instrument(
    error: BaseException, abuse: Answering, where: str, compose_app: Any
) -> None:
    """Cancellation and its like reach the caller though an instrument swallows or replaces them; the handler ran once."""
    runs: list[object] = []
    feature = Feature("ending")

    @feature.handles(Place)
    async def place(command: Place) -> Result[int, str]:
        runs.append(command)
        raise error

    others = [Watching("good", honest)]
    bad = [Watching("bad", abuse)]
    async with compose_app(feature, instruments=bad + others if where == "outside" else others + bad) as bus:
        with pytest.raises(type(error)) as raised:
            await bus.commands.execute(Place())

    assert raised.value is error
    assert len(runs) == 1


@pytest.mark.parametrize(
    "abuse", [honest, forgets_the_result, swallows_cancellation], ids=lambda a: a.__name__
)
async def test_a_cancelled_dispatch_is_cancelled(abuse: Answering, compose_app: Any, slow: Feature) -> None:
    """A caller that cancels its task gets it cancelled, whatever an instrument makes of that."""
    async with compose_app(slow, instruments=[Watching("bad", abuse)]) as bus:
        task = asyncio.ensure_future(bus.commands.execute(Place()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert task.cancelled()


async def test_a_dispatch_that_is_given_up_is_closed_in_silence(compose_app: Any, slow: Feature) -> None:
    """A coroutine that is closed in another context than it ran in, as at the end of a loop, raises nothing."""
    async with compose_app(slow, instruments=[Watching("good", honest)]) as bus:
        coroutine = bus.commands.execute(Place())
        contextvars.copy_context().run(coroutine.send, None)
        coroutine.close()


class Told(Instrument):
    """Keeps what it is told of dispatches that ended, and perhaps raises."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.told: list[tuple[MessageContext, int, int, object]] = []
        self._error = error

    def finished(self, handler: HandlerInfo, /) -> Finished | None:
        """Keep it."""
        if handler.message is Deaf:
            return None

        def tell(context: MessageContext, began_ns: int, ended_ns: int, answer: Any, /) -> None:
            self.told.append((context, began_ns, ended_ns, answer))
            if self._error is not None:
                raise self._error

        return tell


@attrs.frozen
class Deaf(Command[int, str]):
    """A command that no instrument wants to hear of."""


async def test_the_end_of_a_dispatch_is_told_with_its_answer(
    compose_app: Any, orders: Feature, runs: list[object]
) -> None:
    """Each dispatch is told once, after its end, with identity, times and the handler's own result."""
    told = Told()
    async with compose_app(orders, instruments=[told]) as bus:
        answer = await bus.commands.execute(Place())
        await bus.events.publish(Placed())

    (context, began, ended, heard), (delivery, *_, delivered) = told.told
    assert heard is answer
    assert began <= ended
    assert context.causation_number is None
    assert delivered is runs[1]
    assert delivery.message_number != context.message_number


async def test_what_ended_a_dispatch_is_told_instead_of_an_answer(compose_app: Any, slow: Feature) -> None:
    """A cancelled dispatch is told with its cancellation, which still reaches the caller."""
    told = Told()
    async with compose_app(slow, instruments=[told]) as bus:
        with anyio.move_on_after(0.01) as scope:
            await bus.commands.execute(Place())

    assert scope.cancelled_caught
    ((*_, stopped),) = told.told
    assert isinstance(stopped, asyncio.CancelledError)


@pytest.mark.parametrize("others", [0, 1], ids=["alone", "among others"])
async def test_a_listener_that_raises_is_counted_and_the_answer_stands(
    others: int, compose_app: Any, orders: Feature, runs: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    """Raising after a success changes nothing, nor does it keep another listener from hearing."""
    broken, sound = Told(ValueError("deaf")), Told()
    async with compose_app(orders, instruments=[broken, sound][: others + 1]) as bus:
        for _ in range(3):
            assert await bus.commands.execute(Place()) is runs[-1]
        assert bus._listeners.hooks.failures.counts == {("Told", "finished"): 3}

    assert len(sound.told) == 3 * others
    assert len(caplog.records) == 1
    assert len(runs) == 3


async def test_a_listener_that_raises_does_not_hide_a_cancellation(compose_app: Any, slow: Feature) -> None:
    """Raising while a cancelled dispatch is told is counted; the cancellation passes."""
    async with compose_app(slow, instruments=[Told(ValueError("deaf"))]) as bus:
        task = asyncio.ensure_future(bus.commands.execute(Place()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert bus._listeners.hooks.failures.counts == {("Told", "finished"): 1}


async def test_a_handler_that_nobody_wants_to_hear_of_is_not_observed(compose_app: Any) -> None:
    """Where every instrument declines a handler, its pipeline has no context."""
    contexts: list[object] = []
    feature = Feature("deaf")

    @feature.handles(Deaf)
    async def deaf(_command: Deaf) -> Result[int, str]:
        contexts.append(current_context())
        return Success(1)

    async with compose_app(feature, instruments=[Told()]) as bus:
        await bus.commands.execute(Deaf())

    assert contexts == [None]


async def test_a_listener_that_cannot_be_made_is_left_out(
    compose_app: Any, orders: Feature, runs: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    """A `finished` that raises at the start costs its own observation only."""

    class Raising(Instrument):
        def finished(self, _handler: HandlerInfo, /) -> Finished | None:
            raise ValueError("cannot")

    told = Told()
    async with compose_app(orders, instruments=[Raising(), told]) as bus:
        assert await bus.commands.execute(Place()) is runs[0]

    assert len(told.told) == 1
    assert "Raising failed in finished" in caplog.text
