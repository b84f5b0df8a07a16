"""The plugin's own exporter as its laws look at it."""

from cqrs_openobserve.testing import PlayedServer, own_exporter
from cqrs_openobserve.testing.own_subjects import unzipped


def test_it_carries_numbers_to_a_played_server() -> None:
    """In virtual time: after a 503 nothing is sent until the wait is over, and the end is for good."""
    subject, server = own_exporter(), PlayedServer(["503"])
    with subject.place() as place:
        exporter = subject.begin(place, server)
        exporter.offer(7)
        exporter.step()
        assert (exporter.books().delivered, server.requests) == (0, 1)
        exporter.wait(10)
        exporter.step()
        assert (exporter.books().delivered, server.requests) == (1, 2)
        exporter.end()
        exporter.offer(8)
        exporter.step()
    assert server.stored == {7: 1}


def test_what_is_not_packed_is_given_as_it_is() -> None:
    """Also what only looks packed."""
    assert unzipped(b"plain") == b"plain"
    assert unzipped(b"head\n\x1f\x8bnot gzip") == b"head\n\x1f\x8bnot gzip"
