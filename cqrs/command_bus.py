"""The command bus: one dictionary look-up from a command to the pipeline around its handler."""

from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar, final

from returns.result import Result

from cqrs.faults import Fault
from cqrs.messages import Command
from cqrs.middleware import Next
from cqrs.unanswered import Gate, answer_with, not_found

Value = TypeVar("Value")
Error = TypeVar("Error")


@final
class CommandBus:
    """Sends each command to its handler; inject it by this type.

    Args:
        pipelines: one per command class; the app fills it when it starts and empties it when it stops.
        gate: why there is no pipeline, if not for want of a handler.
    """

    __slots__ = ("_gate", "_pipelines")

    def __init__(self, pipelines: Mapping[type, Next], gate: Gate) -> None:
        self._pipelines = pipelines
        self._gate = gate

    def execute(self, command: Command[Value, Error], /) -> Coroutine[Any, Any, Result[Value, Error | Fault]]:
        """Handle a command.

        Args:
            command: the command.

        Returns:
            What the handler returned, or a ``Failure`` with a ``Fault``; awaiting it raises nothing but cancellation.
        """
        try:
            pipeline = self._pipelines[type(command)]
        except KeyError:
            return answer_with(self._gate.fault or not_found(command, self._pipelines))
        return pipeline(command)
