import anyio
import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event
from cqrs.clock import SystemClock
from cqrs.context import MessageContext, current
from cqrs.dead_letter import DeadLetter, MemoryDeadLetterQueue, QueueFault
from cqrs.faults import HandlerCrashed, ParkedBehind
from cqrs.hooks import Hooks
from cqrs.messages import type_id
from cqrs.middleware import HandlerInfo
from cqrs.parking import Failed, Parking, recorded


@type_id("shop.OrderPlaced")
@attrs.frozen
class Placed(Event):
    """An event."""


INFO = HandlerInfo("event", Placed, "Placed", "shop.send", "shop.py:1", "send")


def parking(queue: MemoryDeadLetterQueue | None = None) -> Parking:
    return Parking(queue or MemoryDeadLetterQueue(), SystemClock(), Hooks())


class Unprintable:
    """An error that cannot be shown."""

    def __str__(self) -> str:
        raise ValueError("no")


def test_an_error_is_kept_as_text() -> None:
    """A crash keeps its traceback; a text that is too long is cut; what cannot be shown is said to be so."""
    crash = HandlerCrashed("A", "a", "handler", "builtins.ValueError", "no", "Traceback …", ValueError("no"))

    assert (recorded(crash).kind, recorded(crash).traceback) == ("builtins.ValueError", "Traceback …")
    assert len(recorded("x" * 5000).text) == 2048
    assert recorded(Unprintable()).text == "<str() raised ValueError>"


async def test_a_letter_names_trace_and_class_as_they_are_stored() -> None:
    """The name is the one that the class was given, the trace that of the publish."""
    context = MessageContext().begin()
    token = current.set(context)
    letter = Failed(Placed(), INFO, "a", "no", 2).letter(5)
    current.reset(token)

    assert (letter.type_id, letter.subscriber, letter.sequence) == ("shop.OrderPlaced", "send", "a")
    assert letter.traceparent is not None
    version, trace, span, flags = letter.traceparent.split("-")
    assert (version, trace, len(span), flags) == ("00", f"{context.trace_number:032x}", 16, "01")
    assert Failed(Placed(), INFO, "a", "no", 2).letter(5).traceparent is None


async def test_parking_behind_asks_the_queue_first() -> None:
    """Where nothing is before the event, nothing is parked and nothing said."""
    place = parking()

    assert await place.park_behind(Placed(), INFO, "a") is None
    assert await place.park(Failed(Placed(), INFO, "a", "no", 1))
    assert await place.park_behind(Placed(), INFO, "a") == ParkedBehind("send", "a")
    assert await place.park_behind(Placed(), INFO, "b") is None
    assert (await place.queue.count()).unwrap() == 2


@pytest.mark.parametrize("error", ["the mail server said no", None], ids=["failed", "behind"])
async def test_every_parked_event_is_said(error: str | None, caplog: pytest.LogCaptureFixture) -> None:
    """An ERROR line names event and subscriber: nobody has to look for what is missing."""
    place = parking()
    await place.park(Failed(Placed(), INFO, "a", "first", 1))
    caplog.clear()
    if error is None:
        await place.park_behind(Placed(), INFO, "a")
    else:
        await place.park(Failed(Placed(), INFO, "a", error, 1))

    (record,) = caplog.records
    assert (record.name, record.levelname) == ("cqrs", "ERROR")
    assert all(part in record.getMessage() for part in ("Placed", "send", error or "behind"))


async def test_a_queue_that_hangs_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a time the event counts as not parked, which is said."""

    class Hanging(MemoryDeadLetterQueue):  # type: ignore[misc]  # final for users; a queue that never answers
        async def park(self, _letter: DeadLetter, /) -> Result[None, QueueFault]:
            await anyio.sleep_forever()
            return Success(None)

    monkeypatch.setattr("cqrs.parking._PARKING_SECONDS", 0.01)
    place = parking(Hanging())

    assert not await place.park(Failed(Placed(), INFO, None, "no", 1))
    assert place.overflows == 1
    assert "it took more than 0.01 s" in caplog.text


async def test_a_cancelled_publisher_still_parks() -> None:
    """The letter is kept before the cancellation goes on."""
    place = parking()
    with anyio.CancelScope() as scope:
        scope.cancel()
        assert await place.park(Failed(Placed(), INFO, None, Failure("no"), 1))

    assert (await place.queue.count()).unwrap() == 1
