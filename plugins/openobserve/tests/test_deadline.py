"""One deadline, which may be drawn nearer."""

import socket
import time

import pytest
from cqrs_openobserve.deadline import Deadline, is_readable


def test_a_request_has_its_time() -> None:
    """What is left shrinks, and then there is nothing."""
    deadline = Deadline()
    deadline.start(10)
    assert 9 < deadline.left() <= 10
    deadline.start(0)
    with pytest.raises(TimeoutError):
        deadline.left()


def test_a_limit_ends_the_running_request() -> None:
    """And all later ones."""
    deadline = Deadline()
    deadline.start(10)
    deadline.limit(time.monotonic() + 1)
    assert deadline.left() <= 1
    deadline.limit(time.monotonic() - 1)
    deadline.start(10)
    with pytest.raises(TimeoutError):
        deadline.left()


def test_an_idle_connection_that_was_closed_is_readable() -> None:
    """That is how a pool notices."""
    here, there = socket.socketpair()
    assert not is_readable(here)
    there.close()
    assert is_readable(here)
    here.close()
    assert is_readable(here)
