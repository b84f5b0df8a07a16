"""What a dispatch can answer besides the handler's own value and error: a business "no" and the machinery's faults."""

from typing import Literal, final

import attrs

Stage = Literal["handler", "middleware", "dependency", "commit"]


class Rejection:
    """Base of errors that are a correct "no" (out of stock, forbidden): not an error for alerts."""

    __slots__ = ()


class Fault:
    """Base of everything that the machinery itself may answer; its subclasses are final.

    ``case Failure(Fault() as fault)`` catches them all and narrows.
    """

    __slots__ = ()


@final
@attrs.frozen
class HandlerNotFound(Fault):
    """Nothing handles this message type.

    Attributes:
        message_type: dotted name of the message class.
        nearest: up to three registered messages with a similar name.
        hint: the call that would register a handler.
    """

    message_type: str
    nearest: tuple[str, ...]
    hint: str


@final
@attrs.frozen
class HandlerCrashed(Fault):
    """Code raised where it should have returned a ``Failure``.

    Attributes:
        message_type: name of the message type.
        handler: dotted name of the handler or middleware.
        stage: where it happened.
        exception_type: dotted name of the exception's class.
        text: the exception's text, at most 2 048 characters.
        traceback: the formatted traceback, at most 32 768 characters.
        exception: the exception itself, without traceback (frames would keep every local alive).
    """

    message_type: str
    handler: str
    stage: Stage
    exception_type: str
    text: str
    traceback: str = attrs.field(repr=False)
    exception: BaseException = attrs.field(repr=False, eq=False)


@final
@attrs.frozen
class ContractBroken(Fault):
    """A handler or middleware returned something that is not a ``Result``, or a ``Result`` inside one.

    Attributes:
        message_type: name of the message type.
        handler: dotted name of the handler or middleware.
        returned: what came back, as a type.
        hint: how to mend it.
    """

    message_type: str
    handler: str
    returned: str
    hint: str


@final
@attrs.frozen
class TimedOut(Fault):
    """The handler did not end within the timeout of its registration and was cancelled.

    Attributes:
        handler: dotted name of the handler.
        seconds: the timeout.
    """

    handler: str
    seconds: float


@final
@attrs.frozen
class BusDisabled(Fault):
    """The bus is switched off in ``CqrsModule.for_root``.

    Attributes:
        bus: ``command``, ``query`` or ``event``.
    """

    bus: str


@final
@attrs.frozen
class AppClosed(Fault):
    """The app is not running: dispatch inside ``async with app``.

    Attributes:
        bus: ``command``, ``query`` or ``event``.
    """

    bus: str


@final
@attrs.frozen
class QueueFull(Fault):
    """A bounded queue had no place left, and nothing was taken into it.

    Attributes:
        queue: what it holds.
        capacity: how many of them.
    """

    queue: str
    capacity: int


@final
@attrs.frozen
class ParkedBehind(Fault):
    """The event was not delivered: it waits behind an earlier one of its sequence, which could not be.

    Attributes:
        subscriber: whose dead letters it is among.
        sequence: what it keeps its place in.
    """

    subscriber: str
    sequence: str


@final
@attrs.frozen
class Refused(Fault):
    """A middleware said no before the handler ran.

    Attributes:
        reason: why; its class tells one refusal from another.
    """

    reason: Rejection


def is_rejection(error: object) -> bool:
    """Tell a correct "no" from an operation that failed.

    Args:
        error: what a ``Failure`` holds.

    Returns:
        True for a ``Rejection`` and for ``Refused``.
    """
    return issubclass(type(error), Rejection | Refused)  # isinstance() would run a __class__ of the user's


def is_transient(error: object) -> bool:
    """Tell what may succeed if it is tried again from what will not: a time-out, a broken connection, no bug.

    Args:
        error: what a ``Failure`` holds.

    Returns:
        True for ``TimedOut``; for a ``TimeoutError`` or ``ConnectionError``; for an error that says ``transient = True``;
        and for a ``HandlerCrashed`` whose exception is one of these. An error that says ``transient = False`` is none,
        whatever its class.
    """
    if type(error) is HandlerCrashed:
        return _says_transient(error.exception)
    return type(error) is TimedOut or _says_transient(error)


def _says_transient(error: object) -> bool:
    try:
        said: object = getattr(error, "transient", None)
    except Exception:  # noqa: BLE001 - an attribute of the user's may raise anything; then it says nothing
        said = None
    return said if isinstance(said, bool) else isinstance(error, TimeoutError | ConnectionError)
