"""What became of a published event: one delivery per subscriber."""

from typing import final

import attrs
from returns.result import Failure

from cqrs.faults import Fault
from cqrs.messages import AnyResult


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


@final
@attrs.frozen
class PublishReport:
    """The answer of ``publish``: never an exception.

    Attributes:
        deliveries: one per subscriber, in the order of their registration.
        fault: set if the event reached nobody because the bus is disabled or the app closed.
    """

    deliveries: tuple[Delivery, ...]
    fault: Fault | None = None

    @property
    def ok(self) -> bool:
        """Whether the event was published and every subscriber answered with a ``Success``."""
        return self.fault is None and not self.failures

    @property
    def failures(self) -> tuple[Delivery, ...]:
        """The deliveries that failed."""
        return tuple(delivery for delivery in self.deliveries if not delivery.ok)
