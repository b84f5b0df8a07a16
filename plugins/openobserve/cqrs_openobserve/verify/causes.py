"""The likely cause of a probe that did not come back, from what is known by then; pure."""

from typing import Final, final

import attrs

from cqrs_openobserve.answers import CLOCK_TOLERANCE_S
from cqrs_openobserve.doctor.streams import namesakes
from cqrs_openobserve.verify.probes import Probe
from cqrs_openobserve.verify.witness import Seen

_CONFLICT: Final = (
    "the column was widened by a value of another type, which the server never takes back, or the stream was made by"
    " something else: `cqrs openobserve init` says what to do."
)


@final
@attrs.frozen
class Known:
    """What is known when a probe is given up.

    Attributes:
        seen: the server's answer to it; None if it was never sent.
        names: the streams of its type that the server has; None if it did not say.
        skew_s: how far the server's clock is ahead, in seconds; None if it did not say.
    """

    seen: Seen | None
    names: tuple[str, ...] | None = None
    skew_s: float | None = None


def undelivered(known: Known) -> tuple[str, str]:
    """Say why a probe was not stored.

    Args:
        known: what is known.

    Returns:
        What happened, and the likely cause.
    """
    seen = known.seen
    if seen is None:
        return "the probe was not sent", "the pipeline did not get to it in time: raise --timeout."
    meant = seen.meant
    what = "refused" if meant.rejected or meant.action == "split" else "not stored"
    cause = _clock(known) or meant.hint or "look into the server's own log."
    return f"the probe was {what}: {meant.text}", cause


def not_found(probe: Probe, known: Known) -> tuple[str, str]:
    """Say why a probe that was stored is not found.

    Args:
        probe: which one.
        known: what is known.

    Returns:
        What happened, and the likely cause.
    """
    text = "the probe was stored, but was not found"
    others = named_otherwise(probe, known)
    if others:
        names = ", ".join(others[:3])
        cause = f"the server stores {probe.stream} as {names}, and queries are not rewritten"
        way_out = f": export {probe.variable}={others[0]}" if probe.variable else ""
        return text, f"{cause}{way_out}."
    if known.names is not None and probe.stream not in known.names:
        return text, f"the server has no stream {probe.stream}: check OPENOBSERVE_ORGANIZATION."
    return text, _clock(known) or "the server is slow: raise --timeout."


def named_otherwise(probe: Probe, known: Known) -> tuple[str, ...]:
    """Give the names under which the server has a probe's stream, if they are others.

    Args:
        probe: which one.
        known: what is known.
    """
    told = known.seen.streams if known.seen is not None else ()
    return tuple(dict.fromkeys((*namesakes(probe.stream, told), *namesakes(probe.stream, known.names or ()))))


def came_back_wrong(flaw: str) -> tuple[str, str]:
    """Say why a probe came back with other fields or types.

    Args:
        flaw: what is wrong with it.

    Returns:
        What happened, and the likely cause.
    """
    return f"the probe came back wrong: {flaw}", _CONFLICT


def _clock(known: Known) -> str:
    if known.skew_s is None or abs(known.skew_s) <= CLOCK_TOLERANCE_S:
        return ""
    return f"the server's clock is {known.skew_s:+.0f} s away from this machine's: set one of them right."
