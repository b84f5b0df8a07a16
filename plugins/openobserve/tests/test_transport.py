"""What reaches a server."""

from collections.abc import Callable

from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.payloads import json_payloads
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.testing import FaultServer, RecordingTransport
from cqrs_openobserve.transport import Transport


def test_the_client_and_its_double_are_the_same_to_the_pipeline(
    server: FaultServer, configure: Callable[..., Configuration]
) -> None:
    """Both take a payload and answer alike, and both can be told to end."""
    configuration = configure()
    transports: list[Transport] = [client_of(configuration, configuration.credentials), RecordingTransport()]
    payload = next(json_payloads("s", [(b'{"a":1}', 0)]))
    answers = [transport.send(payload) for transport in transports]
    for transport in transports:
        transport.limit(1e12)
        transport.abandon()
        transport.close()

    assert [getattr(answer, "status", answer) for answer in answers] == [200, 200]
    assert server.delivered == [{"a": 1}]
