"""From the host's name to an encrypted connection, step by step; nothing is sent."""

import socket
import ssl
import time
from collections.abc import Callable
from typing import Final, TypeVar, final

import attrs

from cqrs_openobserve.answers import one_line
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.lines import Line
from cqrs_openobserve.endpoint import Endpoint, is_link_local, parse_endpoint

T = TypeVar("T")

_MOST: Final = 200
_WAY: Final = "OPENOBSERVE_URL"


@final
@attrs.frozen
class Hop:
    """One step of the way.

    Attributes:
        problem: why it failed; empty if it did not.
        milliseconds: how long it took.
        detail: what came of it.
    """

    problem: str
    milliseconds: float
    detail: str = ""


@final
@attrs.frozen
class NetworkFacts:
    """The way to a server, as far as it could be gone.

    Attributes:
        endpoint: the server.
        peer: host and port that are connected to: the server's, or the proxy's.
        proxied: whether that is a proxy.
        resolved: name resolution.
        connected: the TCP connection; None if it was not tried.
        secured: the TLS handshake; None if it was not tried.
        certified: the names in the server's certificate, if they could be read after a refusal.
        plain: whether the server speaks HTTP without TLS where TLS was tried.
    """

    endpoint: Endpoint
    peer: str
    proxied: bool
    resolved: Hop
    connected: Hop | None = None
    secured: Hop | None = None
    certified: tuple[str, ...] = ()
    plain: bool = False


def look(configuration: Configuration, tls: Callable[[], ssl.SSLContext]) -> NetworkFacts:
    """Go the way.

    Args:
        configuration: where to.
        tls: makes the rules for certificates.
    """
    settings, endpoint = configuration.settings, configuration.endpoint
    proxy = parse_endpoint(settings.proxy) if settings.proxy else None
    host, port = (proxy.host, proxy.port) if proxy else (endpoint.host, endpoint.port)
    timeout = settings.timeout / 1000
    addresses, resolved = _timed(lambda: _resolve(host, port, allowed=settings.allow_link_local))
    facts = NetworkFacts(endpoint, f"{host}:{port}", proxy is not None, resolved)
    if addresses is None:
        return facts
    sock, connected = _timed(lambda: _connect(addresses, timeout))
    facts = attrs.evolve(facts, resolved=_detailed(resolved, ", ".join(addresses)), connected=connected)
    if sock is None:
        return facts
    with sock:
        if endpoint.scheme != "https" or proxy is not None:
            return facts
        version, secured = _timed(lambda: _handshake(sock, endpoint.host, tls()))
    facts = attrs.evolve(facts, secured=_detailed(secured, version or ""))
    if version is not None:
        return facts
    certified = _certified(addresses, endpoint, tls(), timeout)
    return attrs.evolve(facts, certified=certified, plain="WRONG_VERSION_NUMBER" in secured.problem)


def judge(facts: NetworkFacts) -> list[Line]:
    """Tell what was found on the way.

    Args:
        facts: what ``look`` gave.
    """
    lines = [_resolution(facts)]
    if facts.connected is not None:
        lines.append(_connection(facts, facts.connected))
    if facts.secured is not None:
        lines.append(_security(facts, facts.secured))
    return lines


def _resolution(facts: NetworkFacts) -> Line:
    hop, host = facts.resolved, facts.peer.rpartition(":")[0]
    if hop.problem:
        fix = (
            f"check the host in {_variable(facts)}, and that this machine can resolve it: getent hosts {host}"
        )
        return Line("network", "dns", "fail", f"{host} cannot be resolved: {hop.problem}", fix)
    return Line("network", "dns", "ok", f"{host} is {hop.detail} ({hop.milliseconds:.0f} ms)")


def _connection(facts: NetworkFacts, hop: Hop) -> Line:
    if not hop.problem:
        return Line("network", "tcp", "ok", f"{facts.peer} accepts connections ({hop.milliseconds:.0f} ms)")
    fix = (
        f"start the server there, or say where it is: export {_variable(facts)}=http://HOST:PORT;"
        " `cqrs local up` starts one for development and prints what to export"
    )
    return Line("network", "tcp", "fail", f"{facts.peer} cannot be connected to: {hop.problem}", fix)


def _security(facts: NetworkFacts, hop: Hop) -> Line:
    if not hop.problem:
        return Line("network", "tls", "ok", f"{hop.detail}, the certificate is trusted")
    endpoint = facts.endpoint
    if facts.plain:
        fix = f"export {_WAY}={attrs.evolve(endpoint, scheme='http')}"
        return Line("network", "tls", "fail", f"{facts.peer} speaks HTTP without TLS", fix)
    if facts.certified:
        names = ", ".join(facts.certified[:5])
        text = f"the certificate of {facts.peer} is not for {endpoint.host} but for {names}: {hop.problem}"
        fix = f"export {_WAY}={attrs.evolve(endpoint, host=facts.certified[0])}"
        return Line("network", "tls", "fail", text, fix)
    text = f"{facts.peer} and this machine did not agree on TLS: {hop.problem}"
    fix = "export OPENOBSERVE_CA_FILE=/path/to/ca.pem if the certificate is of an authority of your own"
    return Line("network", "tls", "fail", text, fix)


def _variable(facts: NetworkFacts) -> str:
    return "OPENOBSERVE_PROXY" if facts.proxied else _WAY


def _detailed(hop: Hop, detail: str) -> Hop:
    return attrs.evolve(hop, detail=detail)


def _timed(step: Callable[[], T]) -> tuple[T | None, Hop]:
    began = time.monotonic()
    try:
        made, problem = step(), ""
    except (OSError, UnicodeError) as error:
        made, problem = None, one_line(_words(error))[:_MOST]
    return made, Hop(problem, (time.monotonic() - began) * 1000)


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message or str(error)
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _resolve(host: str, port: int, *, allowed: bool) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(f"{each[4][0]}" for each in found))
    refused = next((address for address in addresses if is_link_local(address)), None)
    if refused is not None and not allowed:
        raise OSError(f"{refused} is a link-local or metadata address, which is not connected to")
    return [f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address in addresses]


def _connect(addresses: list[str], timeout: float) -> socket.socket:
    trouble: OSError = OSError("it has no address")
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            return socket.create_connection((host.strip("[]"), int(port)), timeout)
        except OSError as error:
            trouble = error
    raise trouble


def _handshake(sock: socket.socket, host: str, context: ssl.SSLContext) -> str:
    with context.wrap_socket(sock, server_hostname=host) as secured:
        return secured.version() or "TLS"


def _certified(
    addresses: list[str], endpoint: Endpoint, context: ssl.SSLContext, timeout: float
) -> tuple[str, ...]:
    # Again, without a look at the name: a certificate that is trusted tells whom it is for.
    context.check_hostname = False
    if context.verify_mode != ssl.CERT_REQUIRED:
        return ()
    try:
        with (
            _connect(addresses, timeout) as sock,
            context.wrap_socket(sock, server_hostname=endpoint.host) as secured,
        ):
            named = (secured.getpeercert() or {}).get("subjectAltName", ())
    except OSError:
        return ()  # it is not the name: what was said of the first handshake stands
    return tuple(one_line(str(pair[1]))[:_MOST] for pair in named if isinstance(pair, tuple))
