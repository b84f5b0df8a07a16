"""Typed command, query and event buses with errors as values; observability comes as plugins.

A name is loaded when it is used first: a module of messages and handlers needs a tenth of the package, and
only the composition root loads the rest.
"""

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
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

_MODULES = {
    "app": ("CqrsApp", "CqrsModule"),
    "clock": ("Clock",),
    "command_bus": ("CommandBus",),
    "context": ("Emit", "MessageContext", "cqrs_context", "current_context"),
    "declarations": ("MESSAGE",),
    "deliveries": ("Delivery", "PublishReport", "PublishStrategy"),
    "event_bus": ("EventBus",),
    "faults": (
        "AppClosed",
        "BusDisabled",
        "ContractBroken",
        "Fault",
        "HandlerCrashed",
        "HandlerNotFound",
        "QueueFull",
        "Refused",
        "Rejection",
        "TimedOut",
    ),
    "features": ("Feature",),
    "instrumentation": ("ConsoleInstrument", "Instrument"),
    "messages": ("Command", "Event", "Message", "Query", "type_id"),
    "middleware": ("HandlerInfo", "Middleware", "Next"),
    "problems": ("CompositionError", "Problem"),
    "query_bus": ("QueryBus",),
    "results": ("cases", "fold", "is_err", "is_ok", "lift"),
    "retry": ("RetryPolicy",),
    "unit_of_work": ("UnitOfWork",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

if not _TYPE_CHECKING:  # the checkers know every name from the imports above, and miss one that is not there

    def __getattr__(name: str) -> object:
        if name == "__version__":
            return _version("returns-cqrs")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(_import_module(f"cqrs.{_HOMES[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
