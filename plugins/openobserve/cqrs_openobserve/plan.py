"""What this plugin sends: every queue of a process, and the encoders of what lies in them."""

from collections.abc import Callable
from typing import final

from cqrs_openobserve.batches import record_encoder
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.feeds import Feed, Plan
from cqrs_openobserve.observations import ObservationQueue
from cqrs_openobserve.records import RowBuilder


@final
class Queues:
    """Where callers leave what they observe; the same objects for the life of the process, forks included.

    Args:
        wake: wakes the worker; called on a caller's thread.

    Attributes:
        observations: of every dispatch and publish.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.observations = ObservationQueue(wake)


def plan_of(configuration: Configuration, queues: Queues, instance: str) -> Plan:
    """Make the encoders of one process, which begin at nothing: a forked child makes its own.

    Args:
        configuration: what to send where.
        queues: where callers put it.
        instance: identity of this process's life, the first part of every ``record_id``.
    """
    rows = RowBuilder(configuration.service, instance)
    records = Feed("logs", queues.observations, record_encoder(configuration.streams, rows))
    return Plan(feeds=(records,))
