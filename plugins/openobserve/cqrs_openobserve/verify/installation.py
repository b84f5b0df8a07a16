"""What has to be there before a probe can prove anything: server, organisation, rights, streams with their columns."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import attrs

from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor import access, provisioning, streams
from cqrs_openobserve.doctor.examination import examine_server
from cqrs_openobserve.doctor.lines import Line
from cqrs_openobserve.doctor.server import Asking
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.server import Server
from cqrs_openobserve.verify.findings import Finding, Outcome

# Without the first nothing that follows could be proven; the second has to be certain.
_NEEDED: Final = frozenset({"openobserve", "organisation", "ingest"})
_CERTAIN: Final = "search"


def check_server(
    configuration: Configuration, sender: Asking, admin: Asking, now: datetime
) -> tuple[list[Finding], bool]:
    """Check what answers, and what the tokens may do.

    Args:
        configuration: where it should be.
        sender: with the token that records are sent with.
        admin: with the admin token.
        now: wall-clock time, with time zone.

    Returns:
        What was found, and whether it makes sense to go on.
    """
    lines = examine_server(configuration, admin, now)
    if not any(line.name == "openobserve" and line.status == "fail" for line in lines):
        lines += access.judge(configuration, access.look(configuration, sender, admin))
    findings = [_finding(line) for line in lines if line.status != "ok" or line.name == "openobserve"]
    return findings, not any(map(_ends_it, lines))


def made_streams(configuration: Configuration) -> frozenset[str]:
    """Give the streams that ``init`` makes.

    Args:
        configuration: which streams.
    """
    return frozenset(wanted.name for wanted in streams.wanted_of(configuration) if wanted.made)


def check_provisioning(
    configuration: Configuration, there: streams.StreamFacts, admin: Server, rules: Sequence[AlertRule]
) -> Iterator[Finding]:
    """Check that what ``init`` makes is there, as the plan wants it, and that alerts are on.

    Args:
        configuration: what should be there.
        there: the streams that the server has.
        admin: with the admin token.
        rules: alerts of the user's own.
    """
    made = made_streams(configuration)
    for line in streams.judge(configuration, there):
        if line.name in made and line.status == "fail":  # how fresh they are does not matter here
            yield _finding(line)
    for line in provisioning.judge(provisioning.look(configuration, admin, rules)):
        found = _finding(line)
        skipped = line.name.startswith("skipped ")
        yield found if line.status == "ok" or skipped else attrs.evolve(found, outcome="missed")


def _ends_it(line: Line) -> bool:
    return (line.name in _NEEDED and line.status == "fail") or (line.name == _CERTAIN and line.status != "ok")


def _finding(line: Line) -> Finding:
    outcomes: dict[str, Outcome] = {"ok": "proven", "warn": "warning", "fail": "missed"}
    outcome = "missed" if _ends_it(line) else outcomes[line.status]
    return Finding(
        "installation", line.name, outcome, line.text, f"{line.fix.rstrip('.')}." if line.fix else ""
    )
