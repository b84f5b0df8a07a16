"""What ``OPENOBSERVE_URL`` may be, and which addresses are refused."""

import ipaddress
import re
import socket
from typing import Final, final
from urllib.parse import SplitResult, urlsplit

import attrs

from cqrs.settings import Invalid

_ORGANIZATION_TAIL: Final = re.compile(r"(?P<prefix>.*?)/api(?:/(?P<organization>[^/]+)(?:/.*)?)?")
_OTLP_TAIL: Final = re.compile(r"(?P<prefix>.*?)/(?:otlp/)?v1(?:/[a-z]*)?")
_PAGE_TAIL: Final = re.compile(r"(?P<prefix>.*?)/web(?:/.*)?")
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~.-]+)*")
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?")
_METADATA_HOSTS: Final = frozenset({"metadata.google.internal", "metadata"})
_METADATA_ADDRESSES: Final = frozenset({"100.100.100.200", "fd00:ec2::254", "168.63.129.16"})


@final
@attrs.frozen
class Endpoint:
    """Where the server is.

    Attributes:
        scheme: ``http`` or ``https``.
        host: lower case; an IPv6 address without brackets.
        port: the TCP port.
        prefix: base path without a slash at its end; empty for none.
        organization: the organisation that stood in the URL, or empty.
        cut: the end of the URL that does not belong there and was cut off, or empty.
    """

    scheme: str
    host: str
    port: int
    prefix: str = ""
    organization: str = ""
    cut: str = ""

    def __str__(self) -> str:
        """The URL without what was cut off."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}{'' if self.port == default else f':{self.port}'}{self.prefix}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, where plain http is harmless."""
        address = address_of(self.host)
        return self.host == "localhost" or (address is not None and address.is_loopback)


def parse_endpoint(text: str) -> Endpoint:
    """Read a URL.

    Args:
        text: for example ``https://observe.example.com/base``.

    Returns:
        The endpoint; an end such as ``/api/default`` or ``/v1/traces`` is cut off and noted.

    Raises:
        Invalid: with the rule that the text breaks; credentials are never repeated.
    """
    if re.search(r"[\s\\]", text):
        raise Invalid("contains a space or a backslash")
    parts = _split(text)
    prefix, organization = _without_tail(parts.path.rstrip("/"))
    if not _PATH.fullmatch(prefix) or "/." in prefix:
        raise Invalid(
            "has a path with other characters than letters, digits and - _ ~ . between single slashes"
        )
    return Endpoint(
        scheme=parts.scheme,
        host=_host(parts),
        port=_port(parts),
        prefix=prefix,
        organization=organization,
        cut=parts.path.rstrip("/")[len(prefix) :],
    )


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Give the IP address that a host text stands for, old notations included; None for a name.

    Args:
        host: a host name or address, without brackets.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))  # 0xa9fea9fe, 2852039166, 169.254.43518
        except OSError:
            return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_link_local(host: str) -> bool:
    """Tell whether a host is a link-local or cloud metadata address, which hand out credentials.

    Args:
        host: a host name or address, without brackets.
    """
    address = address_of(host)
    if address is None:
        return host.rstrip(".").lower() in _METADATA_HOSTS
    return address.is_link_local or str(address) in _METADATA_ADDRESSES


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise Invalid("is not a URL") from error
    if "://" not in text:
        raise Invalid("has no scheme: write http:// or https:// before the host")
    if parts.scheme not in {"http", "https"}:
        raise Invalid("is neither http:// nor https://")
    if "@" in parts.netloc:
        raise Invalid("contains credentials: put them into OPENOBSERVE_TOKEN")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise Invalid("contains a query or fragment (the part from ? or #): remove it")
    return parts


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if not host:
        raise Invalid("has no host")
    if "[" in parts.netloc:
        if ":" not in host or address_of(host) is None:
            raise Invalid("has a host that is not an IPv6 address")
        return host
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise Invalid("has a host name that cannot be resolved") from error
    if not _HOST.fullmatch(host):
        raise Invalid("has a host with other characters than letters, digits, dots and hyphens")
    return host


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise Invalid("has a port that is not a number from 1 to 65535")
    return port or (443 if parts.scheme == "https" else 80)


def _without_tail(path: str) -> tuple[str, str]:
    for pattern in (_ORGANIZATION_TAIL, _OTLP_TAIL, _PAGE_TAIL):
        if matched := pattern.fullmatch(path):
            return matched["prefix"], matched.groupdict().get("organization") or ""
    return path, ""
