"""From settings to what runs: rules that concern several settings, and every warning that they deserve."""

import ssl
from collections.abc import Mapping
from typing import Final, final

import attrs
from returns.result import Failure, Result, Success

from cqrs.middleware import Kind
from cqrs.problems import Code, Problem
from cqrs.secret import Secret
from cqrs.settings import Invalid, load, report, variables
from cqrs_openobserve.credentials import Credentials, detect
from cqrs_openobserve.endpoint import Endpoint, is_link_local
from cqrs_openobserve.names import stream_name
from cqrs_openobserve.service import Service, service_of
from cqrs_openobserve.settings import Settings
from cqrs_openobserve.spool_place import SpoolPlace, spool_place
from cqrs_openobserve.thresholds import Threshold

KINDS: Final[tuple[Kind, ...]] = ("command", "query", "event")
_STREAM_VARIABLES: Final = tuple(
    f"CQRS_STREAM_{name}" for name in ("COMMANDS", "QUERIES", "EVENTS", "METRICS", "TRACES", "LOGS")
)


@final
@attrs.frozen
class Configuration:
    """Everything the plugin's parts are built from.

    Attributes:
        settings: what was read.
        endpoint: the server.
        organization: the organisation's identifier.
        credentials: what records are sent with.
        admin: what ``init`` and ``verify`` use.
        streams: per kind of message the name that the server uses.
        stream_metrics: the server's name of the stream of metric snapshots.
        stream_traces: of spans.
        stream_logs: of the program's log lines; empty for none.
        service: who sends.
        spool: where records wait while the server is away.
        warnings: what to say once at start.
    """

    settings: Settings
    endpoint: Endpoint
    organization: str
    credentials: Credentials
    admin: Credentials
    streams: Mapping[Kind, str]
    stream_metrics: str
    stream_traces: str
    stream_logs: str
    service: Service
    spool: SpoolPlace
    warnings: tuple[str, ...] = ()

    def without_spool(self) -> "Configuration":
        """Give the same with everything kept in memory."""
        return attrs.evolve(self, spool=attrs.evolve(self.spool, root=None))


def read(
    env: Mapping[str, str], given: Mapping[str, object] | None = None
) -> Result[Configuration, tuple[Problem, ...]]:
    """Read and check everything.

    Args:
        env: variables and their texts.
        given: values by field name of ``Settings`` that win over the environment; texts are parsed alike.

    Returns:
        The configuration, or every problem at once.
    """
    parsed, problems = _parsed(given or {})
    loaded = load(Settings, env, parsed)
    if isinstance(loaded, Failure):
        # A given value that is wrong is not also missing from the environment.
        refused = {_VARIABLE[name] for name in (given or {}) if name not in parsed and name in _VARIABLE}
        problems += [
            p for p in loaded.failure() if not p.text.startswith(tuple(f"{n} is not" for n in refused))
        ]
    if problems or isinstance(loaded, Failure):
        return Failure(tuple(problems))
    return _resolved(loaded.unwrap(), env)


_FIELDS: Final = {
    name: variable
    for name, (variable, _) in zip(attrs.fields_dict(Settings), variables(Settings), strict=True)
}
_VARIABLE: Final = {name: variable.name for name, variable in _FIELDS.items()}


def _parsed(given: Mapping[str, object]) -> tuple[dict[str, object], list[Problem]]:
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for name, value in given.items():
        if name not in _FIELDS:
            problems.append(_problem(f"{name} is not a setting", f"use one of {', '.join(sorted(_FIELDS))}"))
            continue
        variable = _FIELDS[name]
        try:
            values[name] = variable.parser.parse(_as_text(value))
        except Invalid as rule:
            shown = "" if variable.parser.secret or name == "url" else f"={ascii(value)[:80]}"
            problems.append(_problem(f"{name}{shown} {rule}", f"for example {name}={variable.example!r}"))
    return values, problems


def _as_text(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, bool | int | Endpoint | Threshold):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str):
        raise Invalid(f"is a {type(value).__name__}, not a text, number or boolean")
    if not value.strip():
        raise Invalid("is blank")
    return value.strip()


def _resolved(settings: Settings, env: Mapping[str, str]) -> Result[Configuration, tuple[Problem, ...]]:
    problems: list[Problem] = []
    organization = _organization(settings, env, problems)
    credentials = _credentials(settings.token, settings.user, "OPENOBSERVE_TOKEN", problems)
    admin = settings.admin_token
    admin_credentials = (
        _credentials(admin, settings.user, "OPENOBSERVE_ADMIN_TOKEN", problems) if admin else credentials
    )
    streams = _streams(settings, problems)
    _check_address(settings, problems)
    _check_tls(settings, problems)
    if problems or credentials is None or admin_credentials is None:
        return Failure(tuple(problems))
    service = service_of(settings.service_name, settings.resource_attributes)
    spool = spool_place(settings.spool_dir, settings.spool_size, env, settings.url, organization)
    return Success(
        Configuration(
            settings,
            settings.url,
            organization,
            credentials,
            admin_credentials,
            dict(zip(KINDS, streams, strict=False)),
            streams[3],
            streams[4],
            streams[5],
            service,
            spool,
            (*_warnings(settings, organization, credentials), *_spool_warnings(settings, spool)),
        )
    )


def _organization(settings: Settings, env: Mapping[str, str], problems: list[Problem]) -> str:
    in_url = settings.url.organization
    sources = {entry.variable: entry.source for entry in report(settings, env)}
    if not in_url or in_url == settings.organization:
        return settings.organization
    if sources["OPENOBSERVE_ORGANIZATION"] != "default":
        problems.append(
            _problem(
                f"OPENOBSERVE_URL names the organisation {in_url!r},"
                f" but OPENOBSERVE_ORGANIZATION={settings.organization!r}",
                f"set OPENOBSERVE_URL={settings.url} and the organisation only in OPENOBSERVE_ORGANIZATION",
            )
        )
        return settings.organization
    try:
        return str(_FIELDS["organization"].parser.parse(in_url))
    except Invalid as rule:
        problems.append(
            _problem(f"OPENOBSERVE_URL names the organisation {in_url[:80]!r}, which {rule}", "remove it")
        )
        return settings.organization


def _credentials(token: Secret, user: str, variable: str, problems: list[Problem]) -> Credentials | None:
    found = detect(token.reveal(), user)
    if isinstance(found, Failure):
        problems.append(
            _problem(
                f"{variable} {found.failure()}",
                f"set {variable}=user:secret, or set OPENOBSERVE_USER to the user that the secret belongs to",
            )
        )
        return None
    return found.unwrap()


def _streams(settings: Settings, problems: list[Problem]) -> list[str]:
    configured = (
        settings.stream_commands,
        settings.stream_queries,
        settings.stream_events,
        settings.stream_metrics,
        settings.stream_traces,
        settings.stream_logs,
    )
    names = [stream_name(text) if text else "" for text in configured]
    # Spans are a stream of another type, which may have the name of one of records.
    rows = [
        each for each in zip(names, _STREAM_VARIABLES, configured, strict=True) if "TRACES" not in each[1]
    ]
    for index, (name, variable, text) in enumerate(rows):
        other = next((each for each in rows[:index] if name and each[0] == name), None)
        if other is not None:
            problems.append(
                _problem(
                    f"{other[1]}={other[2]!r} and {variable}={text!r} are one stream to the server ({name})",
                    "give them names that differ in more than case and punctuation",
                )
            )
    return names


def _check_address(settings: Settings, problems: list[Problem]) -> None:
    if is_link_local(settings.url.host) and not settings.allow_link_local:
        problems.append(
            _problem(
                f"OPENOBSERVE_URL={settings.url} is a link-local or cloud metadata address",
                "use the server's own address, or set OPENOBSERVE_ALLOW_LINK_LOCAL=true if it really is there",
            )
        )


def _check_tls(settings: Settings, problems: list[Problem]) -> None:
    if not settings.ca_file:
        return
    try:
        ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ValueError) as error:
        why = "holds no PEM certificate" if isinstance(error, ssl.SSLError) else "cannot be read"
        problems.append(
            _problem(f"OPENOBSERVE_CA_FILE={ascii(settings.ca_file)[:120]} {why}", "name a readable PEM file")
        )


def _warnings(settings: Settings, organization: str, credentials: Credentials) -> list[str]:
    url = settings.url
    said: list[str] = []
    if url.cut:
        said.append(
            f"OPENOBSERVE_URL ends with {url.cut}, which is cut off: using {url} and organisation"
            f" {organization}; set them so."
        )
    if url.scheme == "http" and not url.is_loopback:
        said.append(f"OPENOBSERVE_URL={url} is not encrypted: the token and the records travel in the clear.")
    if settings.insecure_tls:
        said.append("OPENOBSERVE_INSECURE_TLS is on: anybody on the way can read the token and the records.")
    if credentials.warning:
        said.append(f"OPENOBSERVE_TOKEN {credentials.warning}")
    return said


def _spool_warnings(settings: Settings, spool: SpoolPlace) -> list[str]:
    if spool.root is not None or settings.spool_dir:
        return []
    said = (
        "HOME is not set, so records wait in memory only while the server is away, and die with the process"
    )
    return [f"{said}: set OPENOBSERVE_SPOOL_DIR, to none if that is meant."]


def _problem(text: str, fix: str) -> Problem:
    return Problem(Code.BAD_SETTING, f"{text}.", f"{fix}.")
