import asyncio
import dataclasses
import gc
import logging
import weakref
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from returns.future import FutureResult
from returns.result import Failure, Success

from cqrs.dispatch import guard, limited
from cqrs.faults import ContractBroken, HandlerCrashed, TimedOut
from cqrs.middleware import HandlerInfo

Raised = Callable[[], BaseException]


class Ballast:
    """Ten megabytes that a frame or exception may hold."""

    def __init__(self) -> None:
        self.bytes = bytearray(10_000_000)


class UnprintableError(Exception):
    """An exception whose text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    """An exception that refuses every assignment, that of its traceback included."""

    sku: str


class MisleadingError(Exception):
    """An exception with an attribute that has the name of an exception group's."""

    exceptions = 5


def raising(error: BaseException) -> Callable[[Any], Any]:
    async def call(_message: object) -> Any:
        raise error

    return call


def returning(answer: Any) -> Callable[[Any], Any]:
    async def call(_message: object) -> Any:
        return answer

    return call


async def crash_of(error: BaseException, info: HandlerInfo) -> HandlerCrashed:
    fault = (await guard(raising(error), info)(None)).failure()  # type: ignore[arg-type]  # the wrong type is the point
    assert isinstance(fault, HandlerCrashed)
    return fault


@pytest.mark.parametrize(
    "answer", [Success(1), Success(None), Failure("no"), Failure(ValueError("no"))], ids=str
)
async def test_a_result_comes_back_as_it_is(answer: Any, info: HandlerInfo) -> None:
    """The handler's own object is the answer, success or failure."""
    assert await guard(returning(answer), info)(None) is answer  # type: ignore[arg-type]  # the wrong type is the point


@pytest.mark.parametrize(
    ("error", "name", "text"),
    [
        (ValueError("no stock"), "builtins.ValueError", "no stock"),
        (RecursionError("too deep"), "builtins.RecursionError", "too deep"),
        (ExceptionGroup("many", [ValueError("a"), KeyError("b")]), "builtins.ExceptionGroup", "many (2 sub"),
        (MemoryError(), "builtins.MemoryError", ""),
        (StopAsyncIteration(), "builtins.StopAsyncIteration", ""),
        (anyio.BrokenResourceError(), "anyio.BrokenResourceError", ""),
        (UnprintableError(), f"{__name__}.UnprintableError", "<str() raised RuntimeError>"),
        (FrozenError("a"), f"{__name__}.FrozenError", "a"),
        (MisleadingError("x"), f"{__name__}.MisleadingError", "x"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_whatever_is_raised_is_one_crash_and_is_logged(
    error: Exception, name: str, text: str, info: HandlerInfo, caplog: pytest.LogCaptureFixture
) -> None:
    """Any exception becomes one HandlerCrashed that says where and what, and one ERROR on the logger cqrs."""
    fault = await crash_of(error, info)

    assert (fault.message_type, fault.handler, fault.stage) == ("PlaceOrder", "shop.place_order", "handler")
    assert fault.exception_type.endswith(name.rpartition(".")[2])
    assert fault.text.startswith(text)
    assert fault.exception is error
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("cqrs", logging.ERROR)
    assert "command PlaceOrder crashed in shop.place_order (handler)" in record.getMessage()
    assert "Traceback (most recent call last)" in record.getMessage()
    assert "raise error" in fault.traceback


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError(), GeneratorExit()], ids=repr
)
async def test_what_ends_a_task_or_program_passes_untouched(
    error: BaseException, info: HandlerInfo, caplog: pytest.LogCaptureFixture
) -> None:
    """Cancellation and its like are raised as they are, and nothing is logged."""
    with pytest.raises(type(error)) as raised:
        await guard(raising(error), info)(None)  # type: ignore[arg-type]  # the wrong type is the point

    assert raised.value is error
    assert caplog.records == []


@pytest.mark.parametrize(
    ("answer", "returned", "hint"),
    [
        (None, "NoneType", "return Success(value)"),
        ({"id": 1}, "dict", "return Success(value)"),
        (Success, "ABCMeta", "return Success(value)"),
        (Success(Success(1)), "Success[Success]", "one Success or Failure, not one in another"),
        (Success(Failure(1)), "Success[Failure]", "not one in another"),
        (Failure(Failure(1)), "Failure[Failure]", "not one in another"),
        (Failure(Success(1)), "Failure[Success]", "not one in another"),
        (FutureResult.from_value(1), "FutureResult", "lift"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_no_result_breaks_the_contract(
    answer: Any, returned: str, hint: str, info: HandlerInfo
) -> None:
    """Anything but one Result gives ContractBroken with the handler, what came back and how to mend it."""
    fault = (await guard(returning(answer), info)(None)).failure()  # type: ignore[arg-type]  # the wrong type is the point

    assert isinstance(fault, ContractBroken)
    assert (fault.message_type, fault.handler, fault.returned) == ("PlaceOrder", "shop.place_order", returned)
    assert hint in fault.hint
    if isinstance(answer, FutureResult):
        await answer


async def test_a_coroutine_that_was_not_awaited_breaks_the_contract(info: HandlerInfo) -> None:
    """A forgotten await is named as the coroutine that came back, and Python's own warning still comes."""

    async def answer() -> Any: ...

    async def forgetful(_message: object) -> Any:
        return answer()

    with pytest.warns(RuntimeWarning, match="never awaited"):  # noqa: PT031 - the warning comes when it is collected
        fault = (await guard(forgetful, info)(None)).failure()  # type: ignore[arg-type]  # the wrong type is the point
        gc.collect()

    assert isinstance(fault, ContractBroken)
    assert fault.returned == "coroutine"


async def test_a_middlewares_answer_is_named_as_such(info: HandlerInfo) -> None:
    """At the barrier the message says that a middleware answered, around which handler."""
    fault = (await guard(returning(1), info, "middleware")(None)).failure()  # type: ignore[arg-type]  # the wrong type is the point

    assert isinstance(fault, ContractBroken)
    assert fault.handler == "a middleware around shop.place_order"


async def test_text_and_traceback_are_bounded(info: HandlerInfo) -> None:
    """A huge exception text leaves at most 2 048 characters of text and 32 768 of traceback, both ends kept."""
    fault = await crash_of(ValueError("x" * 10_000_000 + "END"), info)

    assert len(fault.text) == 2048
    assert len(fault.traceback) <= 32_768
    assert fault.traceback.startswith("Traceback")
    assert "characters left out" in fault.traceback
    assert fault.traceback.rstrip().endswith("END")


async def _fail_directly(ballast: Ballast) -> None:
    raise ValueError(str(len(ballast.bytes)))


async def _fail_with_a_cause(ballast: Ballast) -> None:
    try:
        await _fail_directly(ballast)
    except ValueError as error:
        raise KeyError("wrapped") from error


async def _fail_while_handling(ballast: Ballast) -> None:
    try:
        await _fail_directly(ballast)
    except ValueError:
        _ = {}["missing"]


async def _fail_in_a_group(ballast: Ballast) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_fail_with_a_cause, ballast)


@pytest.mark.parametrize(
    "fail",
    [_fail_directly, _fail_with_a_cause, _fail_while_handling, _fail_in_a_group],
    ids=lambda f: f.__name__,
)
async def test_a_crash_keeps_no_frame_alive(fail: Callable[[Ballast], Any], info: HandlerInfo) -> None:
    """A large local of the handler is freed though the fault is kept, also behind causes, contexts and groups."""
    seen: list[weakref.ref[Ballast]] = []

    async def call(_message: object) -> Any:
        ballast = Ballast()
        seen.append(weakref.ref(ballast))
        await fail(ballast)

    kept = (await guard(call, info)(None)).failure()  # type: ignore[arg-type]  # the wrong type is the point
    gc.collect()

    assert isinstance(kept, HandlerCrashed)
    assert seen[0]() is None


async def test_causes_that_form_a_ring_are_walked_once(info: HandlerInfo) -> None:
    """An exception that is, by two steps, its own context does not hang the guard."""
    first, second = ValueError("first"), KeyError("second")
    first.__context__, second.__context__ = second, first

    assert (await crash_of(first, info)).exception is first


async def test_a_log_filter_that_raises_costs_the_line_not_the_answer(
    info: HandlerInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken filter on the logger cqrs does not turn a crash into an exception; standard error says it."""

    def broken(record: logging.LogRecord) -> bool:
        raise ZeroDivisionError(record.msg)

    logger = logging.getLogger("cqrs")
    logger.addFilter(broken)
    try:
        fault = await crash_of(ValueError("no stock"), info)
    finally:
        logger.removeFilter(broken)

    assert fault.text == "no stock"
    told = capsys.readouterr().err
    assert "crashed in shop.place_order" in told
    assert "ZeroDivisionError" in told


async def test_a_handler_that_takes_too_long_is_cancelled(info: HandlerInfo) -> None:
    """At its timeout the handler is really cancelled, its shielded clean-up runs, and TimedOut is the answer."""
    steps: list[str] = []

    async def slow(_message: object) -> Any:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.01)
                steps.append("cleaned up")

    answer = await guard(limited(slow, info, 0.01), info)(None)  # type: ignore[arg-type]  # the wrong type is the point

    assert answer == Failure(TimedOut("shop.place_order", 0.01))
    assert steps == ["cleaned up"]


async def test_a_handler_in_time_is_not_touched(info: HandlerInfo) -> None:
    """An answer before the timeout comes back as it is."""
    assert await limited(returning(Success(1)), info, 5.0)(None) == Success(1)


async def test_a_crash_while_being_cancelled_at_the_timeout_is_a_crash(info: HandlerInfo) -> None:
    """What the clean-up raises is told, not hidden behind the timeout."""

    async def slow(_message: object) -> Any:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("rollback failed")

    fault = (await guard(limited(slow, info, 0.01), info)(None)).failure()  # type: ignore[arg-type]  # the wrong type is the point

    assert isinstance(fault, HandlerCrashed)
    assert fault.text == "rollback failed"


@pytest.mark.parametrize("how", ["task", "scope"])
async def test_cancellation_from_outside_is_no_timeout(how: str, info: HandlerInfo) -> None:
    """A caller that is cancelled, by its task or its scope, gets cancellation, never TimedOut."""
    answers: list[object] = []
    guarded = guard(limited(lambda _message: anyio.sleep_forever(), info, 60.0), info)

    async def caller() -> None:
        answers.append(await guarded(None))  # type: ignore[arg-type]  # the wrong type is the point

    if how == "task":
        task = asyncio.ensure_future(caller())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        with anyio.move_on_after(0.01) as scope:
            await caller()
        assert scope.cancelled_caught

    assert answers == []


async def test_an_inner_deadline_is_the_handlers_own_business(info: HandlerInfo) -> None:
    """A handler whose own scope expires goes on; its answer counts."""

    async def patient(_message: object) -> Any:
        with anyio.move_on_after(0.01):
            await anyio.sleep_forever()
        return Success("fallback")

    assert await guard(limited(patient, info, 5.0), info)(None) == Success("fallback")  # type: ignore[arg-type]  # the wrong type is the point


async def test_a_value_of_a_class_that_cannot_be_hashed_is_a_value(info: HandlerInfo) -> None:
    """The look into a Result asks nothing of the class of what it holds."""

    class Meta(type):  # noqa: PLW1641 - that it cannot be hashed is the point
        def __eq__(cls, other: object) -> bool:
            raise RuntimeError("classes of this kind do not compare")

    value = Meta("Column", (), {})()
    assert (await guard(returning(Success(value)), info)(None)).unwrap() is value  # type: ignore[arg-type]  # the wrong type is the point
