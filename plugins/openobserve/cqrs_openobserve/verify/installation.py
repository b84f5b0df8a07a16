"""What has to be there before a probe can prove anything: server, organisation, rights, streams with their columns."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor import access, columns, streams
from cqrs_openobserve.doctor.examination import examine_server
from cqrs_openobserve.doctor.lines import Line
from cqrs_openobserve.doctor.server import Asking
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


def check_streams(
    configuration: Configuration, there: streams.StreamFacts, admin: Asking
) -> Iterator[Finding]:
    """Check that the streams that ``init`` makes are there, with the right columns.

    Args:
        configuration: which streams.
        there: what the server has.
        admin: with the admin token.
    """
    made = {wanted.name for wanted in streams.wanted_of(configuration) if wanted.made}
    for line in streams.judge(configuration, there):
        if line.name in made and line.status == "fail":  # how fresh they are does not matter here
            yield _finding(line)
    for line in columns.judge(columns.look(configuration, admin, there)):
        if line.status != "ok":
            yield Finding("installation", line.name, "missed", line.text, f"{line.fix}.")


def _ends_it(line: Line) -> bool:
    return (line.name in _NEEDED and line.status == "fail") or (line.name == _CERTAIN and line.status != "ok")


def _finding(line: Line) -> Finding:
    outcomes: dict[str, Outcome] = {"ok": "proven", "warn": "warning", "fail": "missed"}
    outcome = "missed" if _ends_it(line) else outcomes[line.status]
    return Finding("installation", line.name, outcome, line.text, f"{line.fix}." if line.fix else "")
