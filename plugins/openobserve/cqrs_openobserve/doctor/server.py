"""Whether what answers is an OpenObserve, and whether its clock agrees with this machine's."""

import re
from datetime import UTC, datetime
from typing import Final, Protocol, final

import attrs

from cqrs_openobserve.answers import CLOCK_TOLERANCE_S, Answer, Trouble, meaning, one_line, skew_s
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.delivery import OLDEST_NS
from cqrs_openobserve.doctor.lines import Line
from cqrs_openobserve.json_values import mapping

Asked = Answer | Trouble

_OLDEST_S: Final = OLDEST_NS / 1e9
_FUTURE_S: Final = 24 * 3600
_VERSION: Final = re.compile(r"v?(\d{1,4})\.(\d{1,4})")
_LEAST: Final = (0, 15)
_MOST: Final = 100
_SERVERS: Final = "`cqrs local up` starts a server for development and prints what to export"


class Asking(Protocol):
    """What the doctor needs of a client."""

    def call(
        self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer | Trouble:
        """Make a call of the organisation."""
        ...

    def ask(
        self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer | Trouble:
        """Make another call."""
        ...


@final
@attrs.frozen
class ServerFacts:
    """What a server answered.

    Attributes:
        health: to ``/healthz``.
        config: to ``/config``.
        health_at_root: to ``/healthz`` without the URL's base path; None if it has none.
        skew_s: how far its clock is ahead of this machine's, in seconds; None if it does not say.
    """

    health: Asked
    config: Asked
    health_at_root: Asked | None = None
    skew_s: float | None = None


def look(client: Asking, at_root: Asking | None, now: datetime) -> ServerFacts:
    """Ask a server what it is.

    Args:
        client: of the server.
        at_root: of the same server without the URL's base path; None if it has none.
        now: wall-clock time, with time zone.
    """
    health = client.ask("GET", "/healthz")
    if isinstance(health, Trouble):
        return ServerFacts(health, health)
    lost = at_root is not None and not _is_healthy(health)
    return ServerFacts(
        health,
        client.ask("GET", "/config"),
        at_root.ask("GET", "/healthz") if at_root is not None and lost else None,
        skew_s(health.headers.get("date", ""), now),
    )


def judge(configuration: Configuration, facts: ServerFacts) -> list[Line]:
    """Tell whether it is an OpenObserve that one can work with.

    Args:
        configuration: where it should be.
        facts: what it answered.
    """
    health, config = facts.health, facts.config
    if not _is_healthy(health):
        return [_unhealthy(configuration, facts)]
    body = mapping(config.json() if isinstance(config, Answer) and config.status == 200 else None)
    version = body.get("version")
    if not isinstance(version, str):
        text = f"{configuration.endpoint} answers, but not as an OpenObserve: /config has no version"
        return [Line("server", "openobserve", "fail", text, f"check OPENOBSERVE_URL; {_SERVERS}")]
    build = one_line(str(body.get("build_type", "")))[:_MOST]
    shown = f"OpenObserve {one_line(version)[:_MOST]}{f' ({build})' if build else ''}"
    found = _VERSION.match(version)
    if found and (int(found[1]), int(found[2])) < _LEAST:
        fix = "use OpenObserve v0.15 or newer"
        return [Line("server", "openobserve", "warn", f"{shown} is older than what is tested", fix)]
    return [Line("server", "openobserve", "ok", shown), *_clock(facts.skew_s)]


def _unhealthy(configuration: Configuration, facts: ServerFacts) -> Line:
    health, endpoint = facts.health, configuration.endpoint
    if isinstance(health, Trouble):
        fix = f"{meaning(health, 1, datetime.now(UTC)).hint.rstrip('.')}; {_SERVERS}"
        return Line("server", "openobserve", "fail", health.text, fix)
    if facts.health_at_root is not None and _is_healthy(facts.health_at_root):
        root = attrs.evolve(endpoint, prefix="")
        text = f"there is no OpenObserve at {endpoint}, but there is one at {root}: the path is wrong"
        return Line("server", "openobserve", "fail", text, f"export OPENOBSERVE_URL={root}")
    if 300 <= health.status < 400:
        meant = meaning(health, 1, datetime.now(UTC))
        return Line("server", "openobserve", "fail", meant.text, meant.hint)
    text = f"{endpoint} answered {health.status} to /healthz: {health.excerpt or 'nothing'}"
    fix = f"check host, port and path in OPENOBSERVE_URL; {_SERVERS}"
    return Line("server", "openobserve", "fail", text, fix)


def _is_healthy(answer: Asked) -> bool:
    return (
        isinstance(answer, Answer)
        and answer.status == 200
        and str(mapping(answer.json()).get("status")).lower() == "ok"
    )


def _clock(skew: float | None) -> list[Line]:
    if skew is None:
        return []
    if abs(skew) <= CLOCK_TOLERANCE_S:
        return [Line("clock", "skew", "ok", f"the clocks agree within {max(1.0, abs(skew)):.0f} s")]
    refused = skew > _OLDEST_S or skew < -_FUTURE_S
    consequence = "so records are refused" if refused else "so records stand at wrong times"
    text = f"the server's clock is {skew:+.0f} s away from this machine's, {consequence}"
    fix = "set the clock that is wrong: timedatectl set-ntp true"
    return [Line("clock", "skew", "fail" if refused else "warn", text, fix)]
