"""The way to a server, gone on real sockets, and what is said of each step."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
import trustme
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.network import Hop, NetworkFacts, judge, look
from cqrs_openobserve.endpoint import parse_endpoint
from cqrs_openobserve.testing import FaultServer
from cqrs_openobserve.tls import tls_context

Configure = Callable[..., Configuration]
FINE = Hop("", 1.0)


def gone(configuration: Configuration) -> NetworkFacts:
    ca = configuration.settings.ca_file
    return look(configuration, lambda: tls_context(ca, insecure=configuration.settings.insecure_tls))


@attrs.frozen
class Secure:
    """A TLS server whose authority is trusted."""

    url: str
    ca_file: str


@pytest.fixture(params=["localhost", "observe.example.com"])
def secure(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Secure]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(request.param).configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with FaultServer(tls=context) as server:
        yield Secure(server.url, str(tmp_path / "ca.pem"))


def test_a_plain_way_is_two_steps(server: FaultServer, configure: Configure) -> None:
    """Name and connection; nothing is sent."""
    lines = judge(gone(configure()))
    assert [(line.name, line.status) for line in lines] == [("dns", "ok"), ("tcp", "ok")]
    assert server.received == []


@pytest.mark.parametrize("secure", ["localhost"], indirect=True)
def test_a_secure_way_is_three_steps(secure: Secure, configure: Configure) -> None:
    """With the version of TLS."""
    lines = judge(gone(configure(url=secure.url, ca_file=secure.ca_file)))
    assert [(line.name, line.status) for line in lines] == [("dns", "ok"), ("tcp", "ok"), ("tls", "ok")]
    assert "TLSv1." in lines[-1].text


@pytest.mark.parametrize("secure", ["observe.example.com"], indirect=True)
def test_a_certificate_for_another_name_is_told_with_that_name(secure: Secure, configure: Configure) -> None:
    """And the fix is the URL with it."""
    last = judge(gone(configure(url=secure.url, ca_file=secure.ca_file)))[-1]
    assert last.status == "fail"
    assert "not for localhost but for observe.example.com" in last.text
    assert last.fix == f"export OPENOBSERVE_URL={secure.url.replace('localhost', 'observe.example.com')}"


@pytest.mark.parametrize("secure", ["localhost"], indirect=True)
def test_an_authority_that_nobody_knows_is_told(secure: Secure, configure: Configure) -> None:
    """With the variable that makes it known."""
    last = judge(gone(configure(url=secure.url)))[-1]
    assert (last.name, last.status) == ("tls", "fail")
    assert "OPENOBSERVE_CA_FILE" in last.fix


def test_plain_http_behind_https_is_told(configure: Configure) -> None:
    """With the URL that works."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for _ in range(2):  # once more for the names in a certificate, of which there is none
                connection, _address = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        last = judge(gone(configure(url=url.replace("http:", "https:"))))[-1]
        thread.join(10)
    assert "speaks HTTP without TLS" in last.text
    assert last.fix == f"export OPENOBSERVE_URL={url}"


def test_nobody_there_is_told_with_the_command_that_starts_one(configure: Configure) -> None:
    """What somebody who has just begun needs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    lines = judge(gone(configure(url=f"http://127.0.0.1:{port}")))
    assert [line.status for line in lines] == ["ok", "fail"]
    assert "Connection refused" in lines[-1].text
    assert "cqrs local up" in lines[-1].fix


def test_a_name_that_is_none_is_told(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing after it is tried."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    (line,) = judge(gone(configure(url="http://nowhere.invalid")))
    assert (line.name, line.status) == ("dns", "fail")
    assert "nowhere.invalid cannot be resolved: Name or service not known" in line.text


def test_a_name_that_resolves_to_a_metadata_address_is_not_connected_to(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the client does not."""
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    (line,) = judge(gone(configure(url="http://innocent.example.com")))
    assert line.status == "fail"
    assert "169.254.169.254 is a link-local or metadata address" in line.text


def test_with_a_proxy_the_way_ends_at_the_proxy(server: FaultServer, configure: Configure) -> None:
    """And its variable is the one to look at."""
    facts = gone(configure(url="https://observe.example.com", proxy=server.url))
    assert facts.proxied
    assert [line.status for line in judge(facts)] == ["ok", "ok"]
    assert facts.secured is None
    down = attrs.evolve(facts, connected=Hop("Connection refused", 1.0))
    assert "OPENOBSERVE_PROXY" in judge(down)[-1].fix


def test_what_others_wrote_is_one_printable_line() -> None:
    """A reason with control characters cannot be made by `look`; what it keeps of one is plain."""
    endpoint = parse_endpoint("https://h")
    facts = NetworkFacts(
        endpoint, "h:443", proxied=False, resolved=FINE, connected=FINE, secured=Hop("no", 1.0)
    )
    assert judge(facts)[-1].text == "h:443 and this machine did not agree on TLS: no"
