"""One deadline, which may be drawn nearer."""

import socket
import time

import pytest
from cqrs_openobserve.deadline import Deadline, connected, is_readable


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


def test_each_address_has_its_share_of_the_time() -> None:
    """One that cannot be reached costs the others nothing; of several that cannot, the last one's trouble is told."""
    deadline = Deadline()
    deadline.start(10)
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        away = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))
        with connected([away, (socket.AF_INET, socket.SOCK_STREAM, 6, "", place)], deadline) as sock:
            assert sock.getpeername() == place
            assert sock.gettimeout() == pytest.approx(10, abs=1)
    with pytest.raises(ConnectionRefusedError):
        connected([away], deadline)
    with pytest.raises(OSError, match="no address"):
        connected([], deadline)
