"""Calling the hooks of instruments: only those that somebody overrides, and none that raises reaches anybody."""

from collections.abc import Callable, Sequence
from typing import TypeVar, final

import attrs

from cqrs.clock import Clock
from cqrs.hook_details import (
    AppDetails,
    DeadLetteredDetails,
    DeliveredDetails,
    PublishDetails,
    RefreshedDetails,
    RetriedDetails,
)
from cqrs.hook_failures import HookFailures
from cqrs.instrumentation import Instrument, overrides
from cqrs.letters import DeadLetterQueue
from cqrs.middleware import HandlerInfo

Details = TypeVar("Details")
Tell = Callable[[Details], None]


@final
class Hooks:
    """The hooks of an app's instruments; the app fills it when it starts and empties it when it stops.

    Each attribute is a function of the details, or None if no instrument overrides that hook: then the details need
    not even be made.

    Attributes:
        published: see ``Instrument.published``; so are the others.
        delivered: after each delivery.
        retried: after an attempt that is followed by another.
        dead_lettered: when an event was parked, or could not be.
        refreshed: when a cache asked a query anew.
        app_started: when the app is open.
        app_stopped: when it has closed.
        failures: where a hook that raises is counted.
    """

    def __init__(self) -> None:
        self.watch((), HookFailures())

    def watch(self, instruments: Sequence[Instrument], failures: HookFailures) -> None:
        """Take the app's instruments; none empties it.

        Args:
            instruments: outermost first.
            failures: where a hook that raises is counted.
        """
        self.failures = failures
        told = _Told(tuple(instruments), failures)
        self.published: Tell[PublishDetails] | None = told.through("published", lambda i: i.published)
        self.delivered: Tell[DeliveredDetails] | None = told.through("delivered", lambda i: i.delivered)
        self.retried: Tell[RetriedDetails] | None = told.through("retried", lambda i: i.retried)
        self.dead_lettered: Tell[DeadLetteredDetails] | None = told.through(
            "dead_lettered", lambda i: i.dead_lettered
        )
        self.refreshed: Tell[RefreshedDetails] | None = told.through("refreshed", lambda i: i.refreshed)
        self.app_started: Tell[AppDetails] | None = told.through("app_started", lambda i: i.app_started)
        self.app_stopped: Tell[AppDetails] | None = told.through("app_stopped", lambda i: i.app_stopped)


@final
@attrs.frozen
class _Told:
    instruments: tuple[Instrument, ...]
    failures: HookFailures

    def through(self, hook: str, of: Callable[[Instrument], Tell[Details]]) -> Tell[Details] | None:
        told = [
            (instrument, of(instrument)) for instrument in self.instruments if overrides(instrument, hook)
        ]

        def tell(details: Details) -> None:
            for instrument, call in told:
                try:
                    call(details)
                except Exception as error:
                    self.failures.add(instrument, hook, error)

        return tell if told else None


@final
class Announcing:
    """Tells instruments that an app has started, and that it stops.

    Args:
        hooks: filled before the start, emptied after the end.
        clock: tells how long it took.
    """

    def __init__(self, hooks: Hooks, clock: Clock) -> None:
        self._hooks = hooks
        self._clock = clock
        self._details: AppDetails | None = None
        self._opened_ns = 0

    def started(
        self,
        handlers: tuple[HandlerInfo, ...],
        plugins: tuple[str, ...],
        began_ns: int,
        dead_letters: DeadLetterQueue | None = None,
    ) -> None:
        """Tell that the app is open.

        Args:
            handlers: every handler, then every subscriber.
            plugins: the names of those that run.
            began_ns: when the start began, on the clock's monotonic time.
            dead_letters: the app's queue.
        """
        self._opened_ns = self._clock.monotonic_ns()
        self._details = AppDetails(handlers, plugins, self._opened_ns - began_ns, dead_letters)
        if self._hooks.app_started is not None:
            self._hooks.app_started(self._details)

    def stopped(self) -> None:
        """Tell that the app has closed its buses, if its start was told, and tell nobody anything from now on."""
        details, self._details = self._details, None
        if details is not None and self._hooks.app_stopped is not None:
            served = self._clock.monotonic_ns() - self._opened_ns
            self._hooks.app_stopped(attrs.evolve(details, duration_ns=served))
        self._hooks.watch((), self._hooks.failures)
