"""What this plugin sends."""

from collections.abc import Callable

from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.plan import Queues, plan_of
from cqrs_openobserve.records import Anchor
from cqrs_openobserve.testing import rows_of


def test_observations_become_rows_of_this_process(
    configure: Callable[..., Configuration], observe: Callable[..., Observation]
) -> None:
    """In their stream, numbered under the process's id; another process begins at nothing."""
    queues = Queues(lambda: None)
    for instance in ("one", "two"):
        queues.observations.offer(observe())
        (feed,) = plan_of(configure(), queues, instance).feeds
        (payload,) = feed.next_round(10, Anchor(0, 0)).payloads
        assert (feed.signal, payload.path) == ("logs", "/cqrs_commands/_json")
        assert [row["record_id"] for row in rows_of(payload)] == [f"{instance}-1"]
