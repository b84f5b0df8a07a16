"""What became of a published event: one delivery per subscriber."""

from collections.abc import Iterable
from enum import StrEnum
from typing import final

import attrs
from returns.result import Failure

from cqrs.faults import Fault
from cqrs.messages import AnyResult


class PublishStrategy(StrEnum):
    """How the several subscribers of an event hear it.

    Attributes:
        CONCURRENT: all at once; one that fails stops no other.
        SEQUENTIAL: one after the other, in the order of their registration; one that fails stops no other.
        STOP_ON_FAILURE: one after the other until one fails; the others do not hear it.
    """

    CONCURRENT = "concurrent"
    SEQUENTIAL = "sequential"
    STOP_ON_FAILURE = "stop on failure"


@final
@attrs.frozen
class Delivery:
    """What one subscriber answered.

    Attributes:
        subscriber: its stable name.
        result: what it returned at its last attempt, or the ``Fault`` that stands for it.
        attempts: how often it was tried; 0 if the event waits behind an earlier one of its sequence.
        duration: how long all of it took, in seconds.
        dead_lettered: whether the event waits for it among the dead letters.
    """

    subscriber: str
    result: AnyResult
    attempts: int = 1
    duration: float = 0.0
    dead_lettered: bool = False

    @property
    def ok(self) -> bool:
        """Whether the subscriber answered with a ``Success``."""
        return not isinstance(self.result, Failure)


# A delivery that succeeded at once: subscriber, result, and when it began and ended, in ns. Making a Delivery of it
# costs as much as half a dispatch, so that is left to whoever looks at it.
Heard = tuple[str, AnyResult, int, int]


@final
class PublishReport:
    """The answer of ``publish``: never an exception. It cannot be changed.

    Args:
        deliveries: one per subscriber, in the order of their registration.
        fault: set if the event reached nobody because the bus is disabled or the app closed.
        skipped: the names of subscribers that were not tried, because one before them failed (``STOP_ON_FAILURE``).
    """

    __slots__ = ("_began_ns", "_ended_ns", "_fault", "_heard", "_result", "_skipped", "_subscriber")
    __match_args__ = ("deliveries", "fault", "skipped")

    _heard: tuple[Delivery | Heard, ...]
    _fault: Fault | None
    _skipped: tuple[str, ...]

    # The event bus sets these four alone where the only subscriber succeeded at once: each object more that it made
    # would cost a twentieth of a command.
    _subscriber: str
    _result: AnyResult
    _began_ns: int
    _ended_ns: int

    def __init__(
        self,
        deliveries: Iterable[Delivery | Heard] = (),
        fault: Fault | None = None,
        skipped: tuple[str, ...] = (),
    ) -> None:
        self._heard = tuple(deliveries)
        self._fault = fault
        self._skipped = skipped

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """One per subscriber that was tried, in the order of their registration."""
        every = tuple(each if type(each) is Delivery else made(each) for each in self._parts())
        self._heard = every
        return every

    @property
    def fault(self) -> Fault | None:
        """Set if the event reached nobody because the bus is disabled or the app closed."""
        return getattr(self, "_fault", None)

    @property
    def skipped(self) -> tuple[str, ...]:
        """The names of subscribers that were not tried, because one before them failed."""
        return getattr(self, "_skipped", ())

    @property
    def ok(self) -> bool:
        """Whether the event was published and every subscriber answered with a ``Success``."""
        return self.fault is None and not self.failures

    @property
    def failures(self) -> tuple[Delivery, ...]:
        """The deliveries that failed."""
        return tuple(each for each in self._parts() if type(each) is Delivery and not each.ok)

    def _parts(self) -> tuple[Delivery | Heard, ...]:
        try:
            return self._heard
        except AttributeError:
            return ((self._subscriber, self._result, self._began_ns, self._ended_ns),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublishReport) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return "PublishReport(deliveries={!r}, fault={!r}, skipped={!r})".format(*self._values())

    def _values(self) -> tuple[object, ...]:
        return self.deliveries, self.fault, self.skipped


def made(heard: Heard) -> Delivery:
    """Make a delivery of what is known of it.

    Args:
        heard: a delivery that succeeded at once.
    """
    subscriber, result, began_ns, ended_ns = heard
    return Delivery(subscriber, result, duration=(ended_ns - began_ns) / 1e9)
