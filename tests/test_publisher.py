"""What becomes of emitted events whose dispatch is stopped."""

import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event, Fault, HandlerInfo, PublishReport
from cqrs.faults import BusDisabled, QueueFull
from cqrs.publisher import NoBus, hand_over


@attrs.frozen
class Placed(Event):
    """An event."""

    order: int = 0


class Bus:
    """Keeps what is published."""

    def __init__(self, capacity: int = 100) -> None:
        self.published: list[Event] = []
        self.later: list[Event] = []
        self.parked: list[Event] = []
        self.capacity = capacity

    async def publish(self, event: Event, /) -> PublishReport:
        """Keep it."""
        self.published.append(event)
        await anyio.lowlevel.checkpoint()
        return PublishReport(())

    async def publish_later(self, event: Event, /) -> Result[None, Fault]:
        """Keep it apart."""
        if len(self.later) == self.capacity:
            return Failure(QueueFull("events", self.capacity))
        self.later.append(event)
        return Success(None)

    async def abandon(self, event: Event, /) -> None:
        """Keep it apart, too."""
        await anyio.lowlevel.checkpoint()
        self.parked.append(event)


async def test_an_event_whose_subscriber_ends_the_program_is_parked(
    info: HandlerInfo, caplog: pytest.LogCaptureFixture
) -> None:
    """Hearing it again would end the program again; those after it go to the background."""
    bus = Bus()

    await hand_over([Placed(1), Placed(2)], info, bus, KeyboardInterrupt())

    assert (bus.parked, bus.later) == ([Placed(1)], [Placed(2)])
    assert "Placed, emitted by shop.place_order, is not published but parked" in caplog.text


async def test_of_a_dispatch_given_up_with_its_loop_the_loss_is_said(
    info: HandlerInfo, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing can be waited for then; what has no place is named at ERROR."""
    bus = Bus(capacity=1)

    await hand_over([Placed(1), Placed(2)], info, bus, GeneratorExit())

    assert (bus.later, bus.parked) == ([Placed(1)], [])
    assert "Placed, emitted by shop.place_order, is not published: " in caplog.text


async def test_without_a_bus_the_report_says_so() -> None:
    """An event that reaches nobody is not reported as delivered."""
    report = await NoBus().publish(Placed())
    assert await NoBus().publish_later(Placed()) == Failure(BusDisabled("event"))

    assert report.fault == BusDisabled("event")
    assert not report.ok
