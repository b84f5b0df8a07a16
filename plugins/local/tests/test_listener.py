"""The socket that the server listens on."""

import socket

import pytest
from cqrs_local.listener import bind


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_free_port_is_found(host: str) -> None:
    """Port 0 is replaced by the one that was given."""
    with bind(host, 0) as listener:
        assert listener.getsockname()[1] > 0


def test_a_port_in_use_is_an_error_and_leaves_no_socket() -> None:
    """A socket that was left open would be a ResourceWarning, and so a failure of this test."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", taken.getsockname()[1])
