import inspect
from typing import Any

import pytest
from returns.future import FutureResult, future_safe
from returns.io import IOFailure, IOResult, IOSuccess, impure_safe
from returns.result import Failure, Result, Success

from cqrs.results import cases, fold, is_err, is_ok, lift


def test_is_ok_and_is_err_tell_the_sides_apart() -> None:
    """Exactly one of the two holds, whatever the result carries."""
    for good, bad in [(Success(1), Failure(1)), (Success(None), Failure(None)), (Success(""), Failure(""))]:
        assert is_ok(good)
        assert not is_err(good)
        assert is_err(bad)
        assert not is_ok(bad)


def test_fold_calls_one_side_once() -> None:
    """The function of the side that is there gets its content; the other is not called."""
    calls: list[object] = []

    assert fold(Success(2), lambda value: value * 2, calls.append) == 4
    assert fold(Failure("no"), calls.append, str.upper) == "NO"
    assert calls == []


def test_cases_is_the_same_object() -> None:
    """Matching costs nothing: the result itself comes back."""
    result: Result[int, str] = Success(1)

    assert cases(result) is result
    match cases(result):
        case Success(value):
            assert value == 1
        case Failure(error):
            pytest.fail(error)


@future_safe
async def parse_later(text: str) -> int:
    """A function that answers with a FutureResult."""
    return int(text)


@impure_safe
def parse_io(text: str) -> int:
    """A function that answers with an IOResult."""
    return int(text)


async def parse_async_io(text: str) -> IOResult[int, str]:
    """An async function that answers with an IOResult."""
    return IOSuccess(int(text)) if text.isdigit() else IOFailure(text)


@pytest.mark.parametrize("function", [parse_later, parse_io, parse_async_io])
async def test_lift_gives_a_plain_result(function: Any) -> None:
    """FutureResult, IOResult and a coroutine of IOResult all become a Result, success and failure alike."""
    handler = lift(function)

    assert await handler("7") == Success(7)
    assert is_err(await handler("seven"))


def test_lift_keeps_name_and_signature() -> None:
    """A lifted function is an async function with the name, place and parameters of the original."""
    handler = lift(parse_io)

    assert inspect.iscoroutinefunction(handler)
    assert handler.__name__ == "parse_io"
    assert list(inspect.signature(handler).parameters) == ["text"]


async def test_lift_hands_on_what_is_neither() -> None:
    """What a lifted function answers besides an IOResult is left to the guard, which names it."""

    async def junk(text: str) -> Any:
        return text

    assert await lift(junk)("x") == "x"


async def test_a_future_result_is_awaited_each_time() -> None:
    """Each call of a lifted function runs the original anew."""
    runs: list[int] = []

    def counted() -> FutureResult[int, str]:
        runs.append(1)
        return FutureResult.from_value(len(runs))

    handler = lift(counted)

    assert [await handler(), await handler()] == [Success(1), Success(2)]
