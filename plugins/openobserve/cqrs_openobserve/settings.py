"""The plugin's settings, each an environment variable; ``configuration`` makes of them what runs."""

from typing import final

import attrs

from cqrs.secret import Secret
from cqrs.settings import (
    boolean,
    checked,
    choice,
    integer,
    milliseconds,
    number,
    secret,
    setting,
    text,
)
from cqrs_openobserve import setting_rules
from cqrs_openobserve.alert_settings import AlertSettings
from cqrs_openobserve.endpoint import Endpoint, parse_endpoint


@final
@attrs.frozen
class Settings(AlertSettings):
    """What can be set; everything but URL and token has a default."""

    url: Endpoint = setting(
        "OPENOBSERVE_URL",
        checked("URL", parse_endpoint),
        doc="Address of the server, with its base path if it has one.",
        example="http://localhost:5080",
    )
    organization: str = setting(
        "OPENOBSERVE_ORGANIZATION",
        checked("identifier", setting_rules.organization),
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
        checked("stream name", setting_rules.stream),
        doc="Stream of the commands; the server stores cqrs-commands as cqrs_commands.",
        example="cqrs-commands",
        default="cqrs-commands",
    )
    stream_queries: str = setting(
        "CQRS_STREAM_QUERIES",
        checked("stream name", setting_rules.stream),
        doc="Stream of the queries.",
        example="cqrs-queries",
        default="cqrs-queries",
    )
    stream_events: str = setting(
        "CQRS_STREAM_EVENTS",
        checked("stream name", setting_rules.stream),
        doc="Stream of the events and their deliveries.",
        example="cqrs-events",
        default="cqrs-events",
    )
    stream_metrics: str = setting(
        "CQRS_STREAM_METRICS",
        checked("stream name", setting_rules.stream),
        doc="Stream of snapshots of all metrics, as rows for SQL; OTLP metrics have a stream each beside it.",
        example="cqrs-metrics",
        default="cqrs-metrics",
    )
    stream_traces: str = setting(
        "CQRS_STREAM_TRACES",
        checked("stream name", setting_rules.stream),
        doc="Stream of the spans.",
        example="traces",
        default="traces",
    )
    stream_logs: str = setting(
        "CQRS_STREAM_LOGS",
        checked("stream name", setting_rules.stream),
        doc="Stream of the program's own log lines; they are sent only if it is set.",
        example="app-logs",
        default="",
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
    metrics_enabled: bool = setting(
        "OPENOBSERVE_METRICS_ENABLED", boolean(), doc="Switches metrics.", example="false", default=True
    )
    metric_interval: int = setting(
        "OPENOBSERVE_METRIC_INTERVAL",
        milliseconds(100, 3_600_000),
        doc="How often metrics are read and sent, in ms.",
        example="15000",
        default=15_000,
    )
    tracing_enabled: bool = setting(
        "OPENOBSERVE_TRACING_ENABLED", boolean(), doc="Switches spans.", example="false", default=True
    )
    tracing_sampling_rate: float = setting(
        "OPENOBSERVE_TRACING_SAMPLING_RATE",
        number(0, 1),
        doc="Share of traces that get spans, unless the program has a tracer provider of its own.",
        example="0.1",
        default=0.1,
    )
    log_level: str = setting(
        "CQRS_LOG_LEVEL",
        choice("DEBUG", "INFO", "WARN", "ERROR"),
        doc="Lowest level recorded: DEBUG adds starts, WARN keeps slow, cancelled and worse, ERROR errors only.",
        example="INFO",
        default="INFO",
    )
    log_error_messages: bool = setting(
        "CQRS_LOG_ERROR_MESSAGES",
        boolean(),
        doc="Record the text of errors, redacted; without it only their class and code.",
        example="true",
        default=False,
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
        checked("directory", setting_rules.directory),
        doc="Where records wait while the server is away, also for the next process; not set: returns-cqrs-openobserve in XDG_STATE_HOME or ~/.local/state; the word none: in memory alone.",
        example="/var/lib/orders/telemetry",
        default="",
    )
    spool_size: int = setting(
        "OPENOBSERVE_SPOOL_SIZE",
        checked("size", setting_rules.size),
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
        checked("URL", setting_rules.proxy),
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
        checked("key=value list", setting_rules.attributes),
        doc="service.name, service.version, service.instance.id, deployment.environment(.name) and host.name.",
        example="service.version=1.4.2,deployment.environment.name=production",
        default=attrs.Factory(dict[str, str]),
    )
