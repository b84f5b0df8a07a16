"""Working with ``Result`` so that mypy and pyright both follow, without a plugin."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast, overload

from returns.result import Failure, Result, Success
from typing_extensions import TypeIs

if TYPE_CHECKING:
    # Who answers with these has imported them; who does not is spared a tenth of the time that `import cqrs` takes.
    from returns.future import FutureResult
    from returns.io import IO, IOResult

Value = TypeVar("Value")
Error = TypeVar("Error")
Answer = TypeVar("Answer")
Params = ParamSpec("Params")


def is_ok(result: Result[Value, Error]) -> TypeIs[Success[Value]]:
    """Tell whether a result is a ``Success``; narrows to it."""
    return isinstance(result, Success)


def is_err(result: Result[Value, Error]) -> TypeIs[Failure[Error]]:
    """Tell whether a result is a ``Failure``; narrows to it."""
    return isinstance(result, Failure)


def fold(
    result: Result[Value, Error], ok: Callable[[Value], Answer], err: Callable[[Error], Answer]
) -> Answer:
    """Turn either side into one type.

    Args:
        result: what to look into.
        ok: called with the value of a ``Success``.
        err: called with the error of a ``Failure``.
    """
    if isinstance(result, Success):
        return ok(result.unwrap())
    return err(result.failure())


def cases(result: Result[Value, Error]) -> Success[Value] | Failure[Error]:
    """Show a result as the union it is, so that ``match`` is exact and exhaustive under both checkers.

    >>> match cases(Success(1)):
    ...     case Success(number): print(number)
    ...     case Failure(error): print(error)
    1
    """
    return cast("Success[Value] | Failure[Error]", result)


@overload
def lift(
    function: "Callable[Params, FutureResult[Value, Error]]", /
) -> Callable[Params, Coroutine[Any, Any, Result[Value, Error]]]: ...
@overload
def lift(
    function: "Callable[Params, Coroutine[Any, Any, IOResult[Value, Error]]]", /
) -> Callable[Params, Coroutine[Any, Any, Result[Value, Error]]]: ...
@overload
def lift(
    function: "Callable[Params, IOResult[Value, Error]]", /
) -> Callable[Params, Coroutine[Any, Any, Result[Value, Error]]]: ...
def lift(function: Callable[..., object], /) -> Callable[..., Coroutine[Any, Any, Result[object, object]]]:
    """Make a handler of a function that answers with ``FutureResult`` or ``IOResult``.

    ``@future_safe`` gives the first kind; ``@impure_safe`` the last.

    Args:
        function: a function that returns a ``FutureResult``, an ``IOResult``, or is async and returns an ``IOResult``.

    Returns:
        An async function with the same parameters that returns a plain ``Result``.
    """

    @wraps(function)
    async def handler(*args: object, **kwargs: object) -> Result[object, object]:
        answer = function(*args, **kwargs)
        if isinstance(answer, Awaitable):
            answer = await cast("Awaitable[object]", answer)
        return _without_io(answer)

    return handler


def _without_io(answer: object) -> Result[object, object]:
    from returns.io import IOResult
    from returns.unsafe import unsafe_perform_io

    is_io = isinstance(answer, IOResult)
    plain = unsafe_perform_io(cast("IO[object]", answer)) if is_io else answer
    # Anything but an IOResult is handed on as it is, so that the guard names the handler and what came back.
    return cast("Result[object, object]", plain)
