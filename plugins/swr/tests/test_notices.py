from typing import Any

from cqrs_swr.notices import Notices
from cqrs_swr.testing import SteppedClock


def test_a_thing_is_said_once_a_minute(clock: SteppedClock, caplog: Any) -> None:
    """Another thing at once."""
    notices = Notices(clock)
    for _ in range(3):
        notices.warn("disk", "The disk is %s.", "full")
    notices.warn("key", "A key.")
    clock.advance(59)
    notices.warn("disk", "The disk is %s.", "full")
    clock.advance(1)
    notices.warn("disk", "The disk is %s.", "full")

    assert [r.getMessage() for r in caplog.records] == ["The disk is full.", "A key.", "The disk is full."]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_some_things_are_said_once(clock: SteppedClock, caplog: Any) -> None:
    """However long it goes on."""
    notices = Notices(clock)
    for _ in range(3):
        notices.warn("owner", "Nobody's.", once=True)
        clock.advance(3600)

    assert len(caplog.records) == 1
