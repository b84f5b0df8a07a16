"""Prove your own handlers, middleware, settings and plugins: laws, strategies, state machines and doubles."""

from cqrs.testing.handler_laws import HANDLER_LAWS, HandlerSubject
from cqrs.testing.laws import Law, LawBroken, check_law, hold, law, laws_for
from cqrs.testing.middleware_laws import MIDDLEWARE_LAWS, MiddlewareSubject
from cqrs.testing.retry_laws import RETRY_LAWS, RetrySubject
from cqrs.testing.settings_laws import SETTINGS_LAWS, SettingsSubject
from cqrs.testing.strategies import messages

__all__ = [
    "HANDLER_LAWS",
    "MIDDLEWARE_LAWS",
    "RETRY_LAWS",
    "SETTINGS_LAWS",
    "HandlerSubject",
    "Law",
    "LawBroken",
    "MiddlewareSubject",
    "RetrySubject",
    "SettingsSubject",
    "check_law",
    "hold",
    "law",
    "laws_for",
    "messages",
]
