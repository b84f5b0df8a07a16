"""What the app's own code may ask."""

from collections.abc import Callable

from cqrs_openobserve import Telemetry
from cqrs_openobserve.observations import Observation
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.testing import FaultServer, Hang


async def test_the_books_and_waiting_for_delivery(
    make_pipeline: Callable[..., Pipeline], observe: Callable[..., Observation]
) -> None:
    """From async and from plain code."""
    pipeline = make_pipeline(flush_interval="60s")
    telemetry = Telemetry(pipeline)
    pipeline.queue.offer(observe())
    assert telemetry.ledger().waiting == 1
    assert (await telemetry.aflush()).delivered == 1
    pipeline.queue.offer(observe())
    assert telemetry.flush().complete
    assert telemetry.ledger().delivered == 2


async def test_a_flush_that_cannot_finish_says_so(
    server: FaultServer, make_pipeline: Callable[..., Pipeline], observe: Callable[..., Observation]
) -> None:
    """After its own timeout, not after the request's."""
    server.behave = lambda _: Hang()
    pipeline = make_pipeline(exit_timeout="100ms")
    pipeline.queue.offer(observe())
    report = await Telemetry(pipeline).aflush(0.1)
    assert (report.complete, report.waiting) == (False, 1)
