"""What a bus answers when it has no pipeline for a message."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final, final

from returns.result import Failure

from cqrs.faults import Fault, HandlerNotFound
from cqrs.messages import AnyResult
from cqrs.problems import name_of

_NEAREST: Final = 3


@final
class Gate:
    """Whether a bus is open.

    Attributes:
        fault: why it is not, or None.
    """

    __slots__ = ("fault",)

    def __init__(self, fault: Fault | None) -> None:
        self.fault: Fault | None = fault


async def answer_with(fault: Fault) -> AnyResult:
    """Answer with a fault.

    Args:
        fault: why there is nothing else to answer.
    """
    return Failure(fault)


def not_found(message: object, registered: Iterable[type]) -> HandlerNotFound:
    """Say that nothing handles a message, what has a similar name, and how to register a handler.

    Args:
        message: the message.
        registered: the message classes that have a handler.
    """
    name = type(message).__qualname__
    known = {each.__qualname__: name_of(each) for each in registered}
    nearest = tuple(known[near] for near in get_close_matches(name, known, _NEAREST, cutoff=0.4))
    hint = f"register one with feature.handles({name}) and compose that feature into the app."
    return HandlerNotFound(name_of(type(message)), nearest, hint)
