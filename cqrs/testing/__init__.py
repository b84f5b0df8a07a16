"""Prove your own handlers, middleware, settings and plugins: laws, strategies, state machines and doubles."""

from cqrs.testing.bus_laws import BUS_LAWS
from cqrs.testing.bus_subject import BusSubject
from cqrs.testing.dead_letter_laws import DEAD_LETTER_LAWS, DeadLetterSubject
from cqrs.testing.doubles import FakeClock, Observation, RecordingInstrument
from cqrs.testing.handler_laws import HANDLER_LAWS, HandlerSubject
from cqrs.testing.injection import fail_nth
from cqrs.testing.laws import Backend, Law, LawBroken, check_law, hold, law, laws_for
from cqrs.testing.machines import AsyncMachine
from cqrs.testing.middleware_laws import MIDDLEWARE_LAWS, MiddlewareSubject
from cqrs.testing.plugin_laws import PLUGIN_LAWS, PluginSubject
from cqrs.testing.retry_laws import RETRY_LAWS, RetrySubject
from cqrs.testing.settings_laws import SETTINGS_LAWS, SettingsSubject
from cqrs.testing.strategies import messages
from cqrs.testing.world import World, fail_each

__all__ = [
    "BUS_LAWS",
    "DEAD_LETTER_LAWS",
    "HANDLER_LAWS",
    "MIDDLEWARE_LAWS",
    "PLUGIN_LAWS",
    "RETRY_LAWS",
    "SETTINGS_LAWS",
    "AsyncMachine",
    "Backend",
    "BusSubject",
    "DeadLetterSubject",
    "FakeClock",
    "HandlerSubject",
    "Law",
    "LawBroken",
    "MiddlewareSubject",
    "Observation",
    "PluginSubject",
    "RecordingInstrument",
    "RetrySubject",
    "SettingsSubject",
    "World",
    "check_law",
    "fail_each",
    "fail_nth",
    "hold",
    "law",
    "laws_for",
    "messages",
]
