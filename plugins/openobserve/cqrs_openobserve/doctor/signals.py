"""Why a signal would not be seen although the server is well: what is switched off, rare, or looked for elsewhere."""

from collections.abc import Mapping
from typing import Final, final

import attrs

from cqrs_openobserve.doctor.lines import Line
from cqrs_openobserve.doctor.streams import ALWAYS, StreamFacts, age_text
from cqrs_openobserve.payloads import Signal
from cqrs_openobserve.settings import Settings

# What the server's pages show unless somebody chooses another time range.
_SHOWN_S: Final = 15 * 60
_RARE: Final = 0.01
_FORMAT: Final = (
    "each metric is a stream of its own, of the type metrics, with _ for dots:"
    " cqrs.command.duration is cqrs_command_duration_bucket, _sum and _count"
)


@final
@attrs.frozen
class Off:
    """Why an app does not send a signal.

    Attributes:
        text: what is set.
        fix: what to set instead.
    """

    text: str
    fix: str


_SWITCHES: Final[Mapping[Signal, tuple[str, str]]] = {
    "logs": ("OPENOBSERVE_LOGS_ENABLED", "records"),
    "metrics": ("OPENOBSERVE_METRICS_ENABLED", "metrics"),
    "traces": ("OPENOBSERVE_TRACING_ENABLED", "spans"),
}


def off(settings: Settings, signal: Signal) -> Off | None:
    """Tell whether an app with these settings sends nothing of a signal.

    Args:
        settings: the app's.
        signal: logs, metrics or traces.
    """
    on = {
        "logs": settings.logs_enabled,
        "metrics": settings.metrics_enabled,
        "traces": settings.tracing_enabled,
    }
    variable, what = _SWITCHES[signal]
    if not settings.enabled:
        return Off("OPENOBSERVE_ENABLED is off: the app sends nothing", "export OPENOBSERVE_ENABLED=true")
    if not on[signal]:
        return Off(f"{variable} is off: the app sends no {what}", f"export {variable}=true")
    if signal == "traces" and settings.tracing_sampling_rate == 0:
        text = (
            "OPENOBSERVE_TRACING_SAMPLING_RATE is 0: only dispatches that fail or are slow get spans,"
            " and no trace is whole"
        )
        return Off(text, "export OPENOBSERVE_TRACING_SAMPLING_RATE=0.1")
    return None


def judge(settings: Settings, streams: StreamFacts | None) -> list[Line]:
    """Tell of each signal why it may not be seen.

    Args:
        settings: the app's.
        streams: what the server has; None if it could not be asked.
    """
    lines: list[Line] = []
    for signal, see in (("logs", _logs), ("metrics", _metrics), ("traces", _traces)):
        found = off(settings, signal)  # type: ignore[arg-type]  # the three signals
        lines.append(
            Line("signals", signal, "warn", found.text, found.fix) if found else see(settings, streams)
        )
    return lines


def _logs(settings: Settings, streams: StreamFacts | None) -> Line:
    del streams
    if settings.log_level in {"WARN", "ERROR"}:
        text = (
            f"CQRS_LOG_LEVEL={settings.log_level}: successes are not recorded, so rates have no denominator"
        )
        return Line("signals", "logs", "warn", text, "export CQRS_LOG_LEVEL=INFO")
    return Line("signals", "logs", "ok", "every dispatch is recorded")


def _metrics(settings: Settings, streams: StreamFacts | None) -> Line:
    interval = f"{settings.metric_interval / 1000:g} s"
    if streams is None or streams.names["metrics"] is None:
        return Line("signals", "metrics", "ok", f"metrics are sent every {interval}; {_FORMAT}")
    if ALWAYS not in streams.names["metrics"]:
        text = f"no metric of an app has arrived yet: there is no stream {ALWAYS}; {_FORMAT}"
        fix = f"run the app for longer than {interval}; if it ran: cqrs openobserve verify"
        return Line("signals", "metrics", "warn", text, fix)
    age = streams.newest_s.get(("metrics", ALWAYS))
    if age is not None and age <= _SHOWN_S:
        return Line("signals", "metrics", "ok", f"metrics arrived {age_text(age)} ago; {_FORMAT}")
    since = "more than 7 days" if age is None else age_text(age)
    text = f"metrics last arrived {since} ago, and pages show the last 15 minutes; {_FORMAT}"
    fix = "choose a longer time range on the page, or run the app; if it runs: cqrs openobserve verify"
    return Line("signals", "metrics", "warn", text, fix)


def _traces(settings: Settings, streams: StreamFacts | None) -> Line:
    del streams
    rate = settings.tracing_sampling_rate
    share = "every trace gets" if rate == 1 else f"about 1 trace in {1 / rate:.0f} gets"
    text = f"{share} spans, and so does every dispatch that fails or is slow"
    if rate < _RARE:
        return Line(
            "signals",
            "traces",
            "warn",
            f"{text}: that is rare",
            "export OPENOBSERVE_TRACING_SAMPLING_RATE=0.1",
        )
    return Line("signals", "traces", "ok", text)
