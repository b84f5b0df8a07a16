"""What OPENOBSERVE_URL may be."""

import pytest
from cqrs_openobserve.endpoint import address_of, is_link_local, parse_endpoint

from cqrs.settings import Invalid


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:5080", "http://localhost:5080"),
        ("HTTPS://Observe.Example.COM/", "https://observe.example.com"),
        ("https://h:443/base//", "https://h/base"),
        ("http://h:80", "http://h"),
        ("http://[::1]:5080/abc", "http://[::1]:5080/abc"),
        ("http://10.0.0.1", "http://10.0.0.1"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_urls_are_normalised(text: str, url: str) -> None:
    """Case, default ports and slashes at the end do not matter; a base path stays."""
    endpoint = parse_endpoint(text)
    assert str(endpoint) == url
    assert (endpoint.cut, endpoint.organization) == ("", "")


@pytest.mark.parametrize(
    ("text", "url", "organization", "cut"),
    [
        ("http://h/api/acme", "http://h", "acme", "/api/acme"),
        ("http://h/base/api/acme/", "http://h/base", "acme", "/api/acme"),
        ("http://h/api/acme/v1/traces", "http://h", "acme", "/api/acme/v1/traces"),
        ("http://h/api/acme/cqrs_commands/_json", "http://h", "acme", "/api/acme/cqrs_commands/_json"),
        ("http://h/api", "http://h", "", "/api"),
        ("http://h/v1/logs", "http://h", "", "/v1/logs"),
        ("http://h/otlp/v1/traces", "http://h", "", "/otlp/v1/traces"),
        ("http://h:5080/web/logs", "http://h:5080", "", "/web/logs"),
    ],
)
def test_ends_that_belong_to_other_variables_are_cut(
    text: str, url: str, organization: str, cut: str
) -> None:
    """A URL copied from another exporter or from the browser still leads to the server."""
    endpoint = parse_endpoint(text)
    assert (str(endpoint), endpoint.organization, endpoint.cut) == (url, organization, cut)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("localhost:5080", "no scheme"),
        ("example.com", "no scheme"),
        ("ftp://h", "neither http"),
        ("file:///etc/passwd", "neither http"),
        ("http://", "no host"),
        ("http://:5080", "no host"),
        ("http://h:0", "port"),
        ("http://h:99999", "port"),
        ("http://h:x", "port"),
        ("http://user:hunter2@h", "OPENOBSERVE_TOKEN"),
        ("http://h?org=x", "query"),
        ("http://h#x", "fragment"),
        ("http://h?", "query"),
        ("http://h/a b", "space"),
        ("http://h\\@evil", "backslash"),
        ("http://h/../x", "path"),
        ("http://h/a%2f..", "path"),
        ("http://h//a", "path"),
        ("http://[::1", "not a URL"),
        ("http://[v1.x]", "IPv6"),
        ("http://a..b", "host"),
        ("http://-h", "host"),
        ("http://h\u202e", "host"),
    ],
)
def test_what_is_no_address_is_refused_with_the_rule(text: str, says: str) -> None:
    """Each says what is wrong, and no password is repeated."""
    with pytest.raises(Invalid, match=says) as refused:
        parse_endpoint(text)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.0.1",
        "2852039166",
        "0xa9fea9fe",
        "169.254.43518",
        "0251.0376.0251.0376",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "metadata.google.internal",
        "Metadata.Google.Internal.",
    ],
)
def test_link_local_and_metadata_hosts_are_known(host: str) -> None:
    """In every notation that a resolver understands."""
    assert is_link_local(host)


@pytest.mark.parametrize(
    "host", ["localhost", "10.0.0.1", "::1", "192.168.1.1", "example.com", "169.253.1.1"]
)
def test_other_hosts_are_not(host: str) -> None:
    """Private networks are where servers live."""
    assert not is_link_local(host)


def test_loopback_is_where_plain_http_is_harmless() -> None:
    """Names and addresses of this machine."""
    assert all(parse_endpoint(f"http://{host}").is_loopback for host in ("localhost", "127.0.0.2", "[::1]"))
    assert not parse_endpoint("http://example.com").is_loopback
    assert address_of("example.com") is None
