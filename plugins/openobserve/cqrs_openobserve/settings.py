"""The plugin's settings, each an environment variable; ``configuration`` makes of them what runs."""

import re
from typing import Final, final
from urllib.parse import unquote

import attrs

from cqrs.secret import Secret
from cqrs.settings import (
    Invalid,
    boolean,
    checked,
    choice,
    integer,
    milliseconds,
    secret,
    setting,
    text,
)
from cqrs_openobserve.endpoint import Endpoint, parse_endpoint
from cqrs_openobserve.spool_place import NOWHERE

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,255}")
_SIZE: Final = re.compile(r"([0-9]{1,12}) ?((?:[KMG]iB)?)", re.IGNORECASE)
_UNITS: Final = {"": 1, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_STREAM: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,99}")


def _organization(raw: str) -> str:
    if not _IDENTIFIER.fullmatch(raw) or ".." in raw:
        raise Invalid("is not an organisation identifier: letters, digits and _ . - only, as in its URL")
    return raw


def _stream(raw: str) -> str:
    if not _STREAM.fullmatch(raw):
        raise Invalid("is not a stream name: a letter, then at most 99 letters, digits or _ . : -")
    return raw


def _proxy(raw: str) -> str:
    endpoint = parse_endpoint(raw)
    if endpoint.scheme != "http" or endpoint.prefix or endpoint.cut:
        raise Invalid("is not a plain proxy address such as http://proxy.example.com:3128")
    return str(endpoint)


def _directory(raw: str) -> str:
    if raw.lower() == NOWHERE:
        return NOWHERE
    if not raw.startswith("/") or "\0" in raw:
        raise Invalid("is neither an absolute path nor none")
    return raw


def _size(raw: str) -> int:
    found = _SIZE.fullmatch(raw)
    size = int(found[1]) * _UNITS[found[2].lower()] if found else 0
    if not 1024 * 1024 <= size <= 64 * 1024**3:
        raise Invalid("is not a size from 1MiB to 64GiB such as 67108864 or 64MiB")
    return size


def _attributes(raw: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in raw.split(",") if pair.strip()]
    if any(not key.strip() or not equals for key, equals, _ in pairs):
        raise Invalid("is not a list of key=value pairs with commas between them")
    return {key.strip(): unquote(value.strip(), errors="replace") for key, _, value in pairs}


@final
@attrs.frozen
class Settings:
    """What can be set; everything but URL and token has a default."""

    url: Endpoint = setting(
        "OPENOBSERVE_URL",
        checked("URL", parse_endpoint),
        doc="Address of the server, with its base path if it has one.",
        example="http://localhost:5080",
    )
    organization: str = setting(
        "OPENOBSERVE_ORGANIZATION",
        checked("identifier", _organization),
        doc="Identifier of the organisation, as it stands in the server's URLs.",
        example="default",
        default="default",
        aliases=("OPENOBSERVE_ORG",),
    )
    token: Secret = setting(
        "OPENOBSERVE_TOKEN",
        secret(),
        doc="user:secret, base64 of it, a whole 'Basic …' value, or a secret together with OPENOBSERVE_USER.",
        example="name@example.com:secret",
        aliases=("OPENOBSERVE_AUTH_TOKEN",),
    )
    user: str = setting(
        "OPENOBSERVE_USER",
        text(),
        doc="The user that a bare secret in OPENOBSERVE_TOKEN belongs to.",
        example="name@example.com",
        default="",
    )
    admin_token: Secret | None = setting(
        "OPENOBSERVE_ADMIN_TOKEN",
        secret(),
        doc="Used by init and verify instead of OPENOBSERVE_TOKEN: ingestion tokens may not do that.",
        example="name@example.com:password",
        default=None,
    )
    allow_link_local: bool = setting(
        "OPENOBSERVE_ALLOW_LINK_LOCAL",
        boolean(),
        doc="Allow a server at a link-local or cloud metadata address.",
        example="true",
        default=False,
    )
    stream_commands: str = setting(
        "CQRS_STREAM_COMMANDS",
        checked("stream name", _stream),
        doc="Stream of the commands; the server stores cqrs-commands as cqrs_commands.",
        example="cqrs-commands",
        default="cqrs-commands",
    )
    stream_queries: str = setting(
        "CQRS_STREAM_QUERIES",
        checked("stream name", _stream),
        doc="Stream of the queries.",
        example="cqrs-queries",
        default="cqrs-queries",
    )
    stream_events: str = setting(
        "CQRS_STREAM_EVENTS",
        checked("stream name", _stream),
        doc="Stream of the events and their deliveries.",
        example="cqrs-events",
        default="cqrs-events",
    )
    batch_size: int = setting(
        "OPENOBSERVE_BATCH_SIZE",
        integer(1, 10_000),
        doc="Waiting records that wake the sender before its interval; one request takes up to 1 000 of them.",
        example="100",
        default=100,
    )
    flush_interval: int = setting(
        "OPENOBSERVE_FLUSH_INTERVAL",
        milliseconds(10, 3_600_000),
        doc="Longest time that a record waits before it is sent, in ms.",
        example="5000",
        default=5000,
    )
    max_retries: int = setting(
        "OPENOBSERVE_MAX_RETRIES",
        integer(0, 100),
        doc="How often a live server may refuse one payload without saying why; outages end by age instead.",
        example="3",
        default=3,
    )
    timeout: int = setting(
        "OPENOBSERVE_TIMEOUT",
        milliseconds(100, 600_000),
        doc="Total time for one request after name resolution, in ms.",
        example="10000",
        default=10_000,
    )
    enabled: bool = setting(
        "OPENOBSERVE_ENABLED", boolean(), doc="Switches the whole plugin.", example="false", default=True
    )
    logs_enabled: bool = setting(
        "OPENOBSERVE_LOGS_ENABLED", boolean(), doc="Switches the records.", example="false", default=True
    )
    log_level: str = setting(
        "CQRS_LOG_LEVEL",
        choice("DEBUG", "INFO", "WARN", "ERROR"),
        doc="Lowest level recorded: DEBUG adds starts, WARN keeps slow, cancelled and worse, ERROR errors only.",
        example="INFO",
        default="INFO",
    )
    slow_command: int = setting(
        "CQRS_SLOW_COMMAND_MS",
        milliseconds(1, 86_400_000),
        doc="A command that takes longer is recorded at WARN.",
        example="500",
        default=500,
    )
    slow_query: int = setting(
        "CQRS_SLOW_QUERY_MS",
        milliseconds(1, 86_400_000),
        doc="A query that takes longer is recorded at WARN.",
        example="300",
        default=300,
    )
    slow_event: int = setting(
        "CQRS_SLOW_EVENT_MS",
        milliseconds(1, 86_400_000),
        doc="A delivery or publish that takes longer is recorded at WARN.",
        example="1000",
        default=1000,
    )
    exit_timeout: int = setting(
        "OPENOBSERVE_EXIT_TIMEOUT",
        milliseconds(100, 60_000),
        doc="Longest time that stopping may take, in ms; what is then undelivered is spooled, or counted, and told.",
        example="2000",
        default=2000,
    )
    spool_dir: str = setting(
        "OPENOBSERVE_SPOOL_DIR",
        checked("directory", _directory),
        doc="Where records wait while the server is away, also for the next process; none keeps them in memory.",
        example="/var/lib/orders/telemetry",
        default="",
    )
    spool_size: int = setting(
        "OPENOBSERVE_SPOOL_SIZE",
        checked("size", _size),
        doc="How much a process may keep in its spool: bytes, or a number with KiB, MiB or GiB.",
        example="64MiB",
        default=64 * 1024 * 1024,
    )
    ca_file: str = setting(
        "OPENOBSERVE_CA_FILE",
        text(),
        doc="PEM file with the certificates to trust instead of the system's.",
        example="/etc/ssl/observe.pem",
        default="",
    )
    proxy: str = setting(
        "OPENOBSERVE_PROXY",
        checked("URL", _proxy),
        doc="HTTP proxy; the process's own proxy variables are never used.",
        example="http://proxy.example.com:3128",
        default="",
    )
    insecure_tls: bool = setting(
        "OPENOBSERVE_INSECURE_TLS",
        boolean(),
        doc="Do not check the server's certificate; warned of at every start.",
        example="true",
        default=False,
    )
    service_name: str = setting(
        "OTEL_SERVICE_NAME",
        text(most=255),
        doc="service_name of every record; else from OTEL_RESOURCE_ATTRIBUTES, else the program's name.",
        example="orders",
        default="",
    )
    resource_attributes: dict[str, str] = setting(
        "OTEL_RESOURCE_ATTRIBUTES",
        checked("key=value list", _attributes),
        doc="service.name, service.version, service.instance.id, deployment.environment(.name) and host.name.",
        example="service.version=1.4.2,deployment.environment.name=production",
        default=attrs.Factory(dict[str, str]),
    )
