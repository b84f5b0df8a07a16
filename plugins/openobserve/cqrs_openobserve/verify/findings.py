"""What ``verify`` says of each thing it proves; pure."""

from collections.abc import Sequence
from typing import Final, Literal, final

import attrs
import orjson

Outcome = Literal["proven", "missed", "warning"]
Proof = Literal["installation", "logs", "metrics", "traces", "correlation"]

VERSION: Final = 1


@final
@attrs.frozen
class Finding:
    """What became of one proof.

    Attributes:
        proof: what was to be proven.
        subject: the stream, alert or dashboard, or what else it is about.
        outcome: ``proven``, ``missed``, or ``warning`` for what is no miss but should be known.
        text: the delay, or what was missed.
        cause: the likely cause of a miss, and what to do about it.
        delay_ms: time from handing the probe over to reading it back, in ms; None if it was not read back.
    """

    proof: Proof
    subject: str
    outcome: Outcome
    text: str
    cause: str = ""
    delay_ms: float | None = None


def all_proven(findings: Sequence[Finding]) -> bool:
    """Tell whether nothing was missed.

    Args:
        findings: of a whole run.
    """
    return bool(findings) and all(finding.outcome != "missed" for finding in findings)


def as_json(url: str, organization: str, probe: str, findings: Sequence[Finding]) -> bytes:
    """Give a whole run as JSON; the schema stands in the reference documentation.

    Args:
        url: the server.
        organization: the organisation.
        probe: the probe's id.
        findings: in the order in which they were made.
    """
    return orjson.dumps(
        {
            "version": VERSION,
            "proven": all_proven(findings),
            "url": url,
            "organization": organization,
            "probe": probe,
            "findings": [attrs.asdict(finding) for finding in findings],
        },
        option=orjson.OPT_INDENT_2,
    )
