"""Requests with credentials, answers as values, on real sockets."""

import logging
import socket
import ssl
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.client import Client
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.payloads import JSON, Payload
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.testing import Behaviour, Drip, FaultServer, Hang, Reply, Reset

Configure = Callable[..., Configuration]
CERTIFICATES = Path(__file__).parent / "certificates"


@pytest.fixture
def client(configure: Configure) -> Client:
    configuration = configure(timeout="500ms")
    return client_of(configuration, configuration.credentials)


def test_calls_reach_the_organisation(server: FaultServer, configure: Configure) -> None:
    """Below the base path, with query and body; the answer comes back whole."""
    server.behave = lambda _: Reply(200, b'{"list":[]}', {"X-Api-Node": "n"})
    configuration = configure(url=f"{server.url}/base", organization="acme_1")
    client = client_of(configuration, configuration.credentials)
    answer = client.call("GET", "/streams", {"type": "logs", "q": "a b&c"})
    client.close()

    assert answer == Answer(200, {"x-api-node": "n", "content-length": "11"}, b'{"list":[]}', '{"list":[]}')
    assert isinstance(answer, Answer)
    assert answer.json() == {"list": []}
    assert server.received[0].path == "/base/api/acme_1/streams?type=logs&q=a+b%26c"
    assert server.received[0].headers["authorization"].startswith("Basic ")


def test_what_is_no_organisations_is_asked_below_the_base_path(
    server: FaultServer, configure: Configure
) -> None:
    """Everything below /api/ with credentials, what anybody may ask without."""
    server.behave = lambda _: Reply(200)
    configuration = configure(url=f"{server.url}/base")
    client = client_of(configuration, configuration.credentials)
    client.ask("GET", "/healthz")
    client.ask("PATCH", "/api/v2/default/alerts/7/enable", {"value": "true"}, b"{}")
    client.close()

    health, enable = server.received
    assert (health.method, health.path) == ("GET", "/base/healthz")
    assert "authorization" not in health.headers
    assert (enable.method, enable.path, enable.body) == (
        "PATCH",
        "/base/api/v2/default/alerts/7/enable?value=true",
        b"{}",
    )
    assert enable.headers["authorization"].startswith("Basic ")


def test_a_connection_is_kept_and_renewed(server: FaultServer, client: Client) -> None:
    """One connection serves many requests; one that the server closed meanwhile costs no failure."""
    server.behave = lambda received: Reply(200, received.headers["host"].encode())
    for _ in range(3):
        assert isinstance(client.call("GET", "/x"), Answer)
    connections = len([t for t in server._threads if t.is_alive()]) - 1
    assert connections == 1
    server.behave = lambda _: Reply(200, b"", {"Connection": "close"})
    assert isinstance(client.call("GET", "/x"), Answer)
    assert isinstance(client.call("GET", "/x"), Answer)
    client.close()


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Hang(), "timeout"),
        (Drip(), "timeout"),
        (Drip(0.02, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"), "timeout"),
        (Reset(), "reset"),
        (Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), "reset"),
        (Reset(b"SSH-2.0-OpenSSH_9\r\n"), "reset"),
        (Reset(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000), "reset"),
    ],
    ids=str,
)
def test_faults_are_values(server: FaultServer, client: Client, fault: Behaviour, cause: str) -> None:
    """Each within the total deadline, named, with the address and without the secret."""
    server.behave = lambda _: fault
    began = time.monotonic()
    trouble = client.call("GET", "/x")
    seconds = time.monotonic() - began
    client.close()

    assert isinstance(trouble, Trouble)
    assert trouble.cause == cause
    assert trouble.text.startswith(server.url)
    assert "canary" not in trouble.text
    assert seconds < 1.5
    if cause == "timeout":
        assert seconds >= 0.5


def test_a_server_that_does_not_read_is_left_in_time(configure: Configure) -> None:
    """A large body to a peer whose window is full ends at the deadline, too."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        configuration = configure(url=f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout="300ms")
        client = client_of(configuration, configuration.credentials)
        began = time.monotonic()
        trouble = client.send(Payload("logs", "/s/_json", JSON, b"x" * 20_000_000, 1, 0))
        client.close()

    assert isinstance(trouble, Trouble)
    assert trouble.cause == "timeout"
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://127.0.0.1:9", "refused"),
        ("http://does-not-exist.invalid", "unresolved"),
    ],
)
def test_no_server_is_a_value(configure: Configure, url: str, cause: str) -> None:
    """Refused and unknown are told apart."""
    configuration = configure(url=url)
    trouble = client_of(configuration, configuration.credentials).call("GET", "/x")
    assert isinstance(trouble, Trouble)
    assert trouble.cause == cause


def test_plain_http_behind_https_is_told_as_tls(server: FaultServer, configure: Configure) -> None:
    """And it never falls back."""
    configuration = configure(url=server.url.replace("http", "https"), timeout="1s")
    client = client_of(configuration, configuration.credentials)
    trouble = client.call("GET", "/x")
    client.close()
    assert isinstance(trouble, Trouble)
    assert trouble.cause in {"tls", "reset", "timeout"}
    assert server.received == []


@pytest.fixture
def secure() -> Iterator[FaultServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "cert.pem", CERTIFICATES / "key.pem")
    with FaultServer(lambda _: Reply(200, b"x" * 100_000), tls=context) as running:
        yield running


def test_tls_with_a_certificate_of_ones_own(secure: FaultServer, configure: Configure) -> None:
    """The same requests, kept alive, and the same deadline."""
    configuration = configure(url=secure.url, ca_file=str(CERTIFICATES / "cert.pem"), timeout="500ms")
    client = client_of(configuration, configuration.credentials)
    for _ in range(2):
        answer = client.call("POST", "/x", body=b"y" * 3_000_000)
        assert isinstance(answer, Answer)
        assert len(answer.body) == 100_000
    for fault in (Hang(), Drip()):
        secure.behave = lambda _, fault=fault: fault
        began = time.monotonic()
        trouble = client.call("GET", "/x")
        assert isinstance(trouble, Trouble)
        assert (trouble.cause, time.monotonic() - began < 1.5) == ("timeout", True)
    client.close()


@pytest.mark.parametrize("given", [{}, {"ca_file": str(CERTIFICATES / "cert.pem"), "host": "127.0.0.1"}])
def test_a_certificate_that_does_not_fit_is_refused(
    secure: FaultServer, configure: Configure, given: dict[str, str]
) -> None:
    """Unknown issuer, wrong host; nothing is sent, and the reason is told. Unless checking is switched off."""
    url = secure.url.replace("localhost", given.pop("host", "localhost"))
    configuration = configure(url=url, **given)
    client = client_of(configuration, configuration.credentials)
    trouble = client.call("GET", "/x")
    client.close()
    assert isinstance(trouble, Trouble)
    assert trouble.cause == "tls"
    assert "certificate verify failed" in trouble.text
    assert secure.received == []

    configuration = configure(url=url, insecure_tls=True)
    client = client_of(configuration, configuration.credentials)
    assert isinstance(client.call("GET", "/x"), Answer)
    client.close()


def test_a_name_that_resolves_to_a_link_local_address_is_refused(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule about addresses holds at connect time, too."""
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
    configuration = configure(url="http://innocent.example")
    trouble = client_of(configuration, configuration.credentials).call("GET", "/x")
    assert isinstance(trouble, Trouble)
    assert trouble.cause == "forbidden"


def test_the_next_address_of_a_name_is_tried(
    server: FaultServer, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One dead address of several is no outage."""
    real = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
    dead = [(*real[0][:4], ("127.0.0.1", 9))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: dead + real)
    server.behave = lambda _: Reply(200, b"{}")
    configuration = configure()
    client = client_of(configuration, configuration.credentials)
    assert isinstance(client.call("GET", "/x"), Answer)
    client.close()


def test_the_environment_is_not_used(
    server: FaultServer, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its proxies nor its certificates."""
    for variable in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", "/does/not/exist")
    server.behave = lambda _: Reply(200, b"{}")
    configuration = configure()
    client = client_of(configuration, configuration.credentials)
    assert isinstance(client.call("GET", "/x"), Answer)
    client.close()


def test_a_proxy_is_used_if_it_is_set(server: FaultServer, configure: Configure) -> None:
    """And asked for the whole address."""
    server.behave = lambda _: Reply(200, b"{}")
    configuration = configure(url="http://observe.example.com", proxy=server.url)
    client = client_of(configuration, configuration.credentials)
    assert isinstance(client.call("GET", "/x"), Answer)
    client.close()
    assert server.received[0].path == "http://observe.example.com/api/default/x"


@pytest.mark.parametrize("fault", [Hang(), Reply(401, b""), Reset()], ids=str)
def test_the_secret_is_seen_nowhere(
    server: FaultServer, client: Client, caplog: pytest.LogCaptureFixture, fault: Behaviour
) -> None:
    """Not in DEBUG logs of any library, not in values; an echo is masked."""
    echo = "Authorization: Basic dXNlcjpzM2NyZXQtY2FuYXJ5, s3cret-canary, user:s3cret-canary"
    server.behave = lambda _: attrs.evolve(fault, body=echo.encode()) if isinstance(fault, Reply) else fault
    with caplog.at_level(logging.DEBUG):
        answer = client.call("GET", "/x")
    excerpt = answer.excerpt if isinstance(answer, Answer) else answer.text
    client.close()

    for text in (caplog.text, repr(answer), excerpt, repr(vars(client))):
        assert "canary" not in text
        assert "dXNlcjpzM2NyZXQtY2FuYXJ5" not in text
    assert not [record for record in caplog.records if record.name.startswith("httpcore")]


def test_an_interrupt_shows_no_secret(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a traceback that prints every local of every frame, ours and the library's."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(socket, "getaddrinfo", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        client.call("GET", "/x")
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())

    assert "Authorization" in shown
    assert "canary" not in shown
    assert "dXNlcjpzM2NyZXQtY2FuYXJ5" not in shown


def test_other_users_of_the_http_library_still_log(caplog: pytest.LogCaptureFixture, client: Client) -> None:
    """Only our own requests are silent."""
    client.call("GET", "/x")
    with caplog.at_level(logging.DEBUG, "httpcore.http11"):
        logging.getLogger("httpcore.http11").debug("somebody else's request")
    client.close()
    assert "somebody else's request" in caplog.text


def test_a_limit_ends_a_request_that_is_running(server: FaultServer, configure: Configure) -> None:
    """So that a stop need not wait for a hanging server."""
    import threading

    server.behave = lambda _: Hang()
    configuration = configure(timeout="30s")
    client = client_of(configuration, configuration.credentials)
    threading.Timer(0.2, lambda: client.limit(time.monotonic())).start()
    began = time.monotonic()
    trouble = client.call("GET", "/x")
    client.close()
    assert isinstance(trouble, Trouble)
    assert time.monotonic() - began < 1.5


def test_a_connection_that_was_closed_between_requests_is_no_failure(
    server: FaultServer, configure: Configure
) -> None:
    """Closed while idle, or at the moment of the next request: one reconnect at once, and the request arrives."""
    server.behave = lambda _: Reply(200, b"{}")
    configuration = configure()
    client = client_of(configuration, configuration.credentials)
    client.call("GET", "/1")
    server.behave = lambda received: (
        Reset() if received.path.endswith("/2") and len(server.received) == 2 else Reply(200)
    )
    answer = client.call("GET", "/2")
    client.close()

    assert isinstance(answer, Answer)
    assert [received.path[-1] for received in server.received] == ["1", "2", "2"]


def test_a_reset_of_a_new_connection_is_a_failure(server: FaultServer, configure: Configure) -> None:
    """And it says that the server may have stored what was sent; a connection that never was says it did not."""
    server.behave = lambda _: Reset()
    configuration = configure()
    client = client_of(configuration, configuration.credentials)
    answer = client.call("GET", "/1")
    client.close()
    assert isinstance(answer, Trouble)
    assert (answer.cause, answer.sent, len(server.received)) == ("reset", True, 1)

    absent = configure(url="http://127.0.0.1:9")
    refused = client_of(absent, absent.credentials).call("GET", "/1")
    assert isinstance(refused, Trouble)
    assert not refused.sent
