"""Typed command, query and event buses with errors as values; observability comes as plugins."""

from importlib.metadata import version as _version

from cqrs.app import CqrsApp, CqrsModule
from cqrs.clock import Clock
from cqrs.command_bus import CommandBus
from cqrs.context import Emit, MessageContext, cqrs_context, current_context
from cqrs.declarations import MESSAGE
from cqrs.deliveries import Delivery, PublishReport, PublishStrategy
from cqrs.event_bus import EventBus
from cqrs.faults import (
    AppClosed,
    BusDisabled,
    ContractBroken,
    Fault,
    HandlerCrashed,
    HandlerNotFound,
    QueueFull,
    Refused,
    Rejection,
    TimedOut,
)
from cqrs.features import Feature
from cqrs.instrumentation import ConsoleInstrument, Instrument
from cqrs.messages import Command, Event, Message, Query, type_id
from cqrs.middleware import HandlerInfo, Middleware, Next
from cqrs.problems import CompositionError, Problem
from cqrs.query_bus import QueryBus
from cqrs.results import cases, fold, is_err, is_ok, lift
from cqrs.retry import RetryPolicy
from cqrs.unit_of_work import UnitOfWork

__all__ = [
    "MESSAGE",
    "AppClosed",
    "BusDisabled",
    "Clock",
    "Command",
    "CommandBus",
    "CompositionError",
    "ConsoleInstrument",
    "ContractBroken",
    "CqrsApp",
    "CqrsModule",
    "Delivery",
    "Emit",
    "Event",
    "EventBus",
    "Fault",
    "Feature",
    "HandlerCrashed",
    "HandlerInfo",
    "HandlerNotFound",
    "Instrument",
    "Message",
    "MessageContext",
    "Middleware",
    "Next",
    "Problem",
    "PublishReport",
    "PublishStrategy",
    "Query",
    "QueryBus",
    "QueueFull",
    "Refused",
    "Rejection",
    "RetryPolicy",
    "TimedOut",
    "UnitOfWork",
    "cases",
    "cqrs_context",
    "current_context",
    "fold",
    "is_err",
    "is_ok",
    "lift",
    "type_id",
]


def __getattr__(name: str) -> str:
    if name == "__version__":
        return _version("returns-cqrs")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
