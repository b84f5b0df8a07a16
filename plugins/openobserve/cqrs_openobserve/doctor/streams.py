"""Whether the streams are there, under the names that are used here, and when something last came in."""

from collections.abc import Mapping
from typing import Final, Literal, final

import attrs
import orjson

from cqrs_openobserve.answers import Answer, one_line
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.lines import Line
from cqrs_openobserve.doctor.server import Asked, Asking
from cqrs_openobserve.json_values import mapping, sequence
from cqrs_openobserve.metric_catalogue import ACCEPTED
from cqrs_openobserve.names import stream_name
from cqrs_openobserve.provision.server import rows_of

StreamType = Literal["logs", "metrics", "traces"]

TYPES: Final[tuple[StreamType, ...]] = ("logs", "metrics", "traces")
# Sent by every app at every interval, whatever else it does.
ALWAYS: Final = stream_name(ACCEPTED.name)
_WINDOW_S: Final = 7 * 24 * 3600
_OLD_S: Final = 24 * 3600
_MOST: Final = 100
_INIT: Final = "cqrs openobserve init"


@final
@attrs.frozen
class Wanted:
    """A stream that should be there.

    Attributes:
        name: the server's name of it.
        type: logs, metrics or traces.
        variable: what names it; empty if nothing does.
        made: whether ``init`` makes it; else the server does when something first comes in.
        probed: whether a column ``record`` tells probes from what an app sent.
    """

    name: str
    type: StreamType
    variable: str = ""
    made: bool = True
    probed: bool = True


@final
@attrs.frozen
class StreamFacts:
    """What a server has of streams.

    Attributes:
        names: by type, None if the server did not list them.
        newest_s: age of the newest record by type and name, in seconds; None if there is none in the last week. What
            could not be asked is not there.
    """

    names: Mapping[StreamType, tuple[str, ...] | None]
    newest_s: Mapping[tuple[StreamType, str], float | None]


def wanted_of(configuration: Configuration) -> tuple[Wanted, ...]:
    """Give the streams that a configuration uses.

    Args:
        configuration: whose streams.
    """
    settings, streams = configuration.settings, configuration.streams
    found = [
        Wanted(streams["command"], "logs", "CQRS_STREAM_COMMANDS"),
        Wanted(streams["query"], "logs", "CQRS_STREAM_QUERIES"),
        Wanted(streams["event"], "logs", "CQRS_STREAM_EVENTS"),
    ]
    if settings.metrics_enabled:
        found += [
            Wanted(configuration.stream_metrics, "logs", "CQRS_STREAM_METRICS"),
            Wanted(ALWAYS, "metrics", made=False, probed=False),
        ]
    if settings.tracing_enabled:
        found.append(
            Wanted(configuration.stream_traces, "traces", "CQRS_STREAM_TRACES", made=False, probed=False)
        )
    if configuration.stream_logs:
        found.append(Wanted(configuration.stream_logs, "logs", "CQRS_STREAM_LOGS", probed=False))
    return tuple(found)


def look(configuration: Configuration, client: Asking, now_ns: int) -> StreamFacts:
    """Ask a server for streams and for the newest record in each, probes left out.

    Args:
        configuration: which streams.
        client: with a token that may search.
        now_ns: ns since the Unix epoch.
    """
    names: dict[StreamType, tuple[str, ...] | None] = {
        kind: names_of(client.call("GET", "/streams", _listed(kind))) for kind in TYPES
    }
    newest: dict[tuple[StreamType, str], float | None] = {}
    for wanted in wanted_of(configuration):
        if wanted.name not in (names[wanted.type] or ()):
            continue
        # The name is normalised: nothing in this SQL is foreign text.
        real = " WHERE record <> 'probe'" if wanted.probed else ""
        sql = f'SELECT max(_timestamp) AS "newest" FROM "{wanted.name}"{real}'  # noqa: S608  # as above
        query = {"type": wanted.type, "use_cache": "false"}
        answer = client.call("POST", "/_search", query, search(sql, now_ns))
        rows = rows_of(answer)
        if rows is not None:
            value = mapping(rows[0]).get("newest") if rows else None
            newest[wanted.type, wanted.name] = now_ns / 1e9 - value / 1e6 if type(value) is int else None
    return StreamFacts(names, newest)


def _listed(kind: StreamType) -> dict[str, str]:
    return {"type": kind, "fetchSchema": "false"}


def search(sql: str, now_ns: int) -> bytes:
    """Give the body of a search over the last week.

    Args:
        sql: the query.
        now_ns: ns since the Unix epoch.
    """
    now = now_ns // 1000
    # A server whose clock is ahead has records from what is the future here.
    window = {"start_time": now - _WINDOW_S * 1_000_000, "end_time": now + 86_400_000_000}
    return orjson.dumps({"query": {"sql": sql, "from": 0, "size": 10} | window})


def names_of(answer: Asked) -> tuple[str, ...] | None:
    """Read a list of streams.

    Args:
        answer: of the server.

    Returns:
        Their names; None if it is no such list.
    """
    body = mapping(answer.json()) if isinstance(answer, Answer) and answer.status == 200 else None
    if body is None or "list" not in body:
        return None
    return tuple(str(mapping(each).get("name")) for each in sequence(body["list"]))


def namesakes(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Find streams whose names differ only in case and punctuation.

    Args:
        name: the server's name of a stream, as it should be.
        names: those that there are.
    """
    bare = _bare(name)
    return tuple(one_line(each)[:_MOST] for each in names if each != name and _bare(each) == bare)


def _bare(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def judge(configuration: Configuration, facts: StreamFacts) -> list[Line]:
    """Tell which streams are there and how fresh they are.

    Args:
        configuration: which streams.
        facts: what the server has.
    """
    lines: list[Line] = []
    for wanted in wanted_of(configuration):
        names = facts.names[wanted.type]
        if wanted.type == "metrics":
            continue  # told with what a metric is called and where it is looked for
        if names is None:
            text = f"it cannot be told whether the stream {wanted.name} exists: streams are not listed"
            lines.append(Line("streams", wanted.name, "warn", text, "see the line of the token above"))
        elif wanted.name not in names:
            lines.append(_missing(wanted, names))
        elif (wanted.type, wanted.name) in facts.newest_s:
            lines.append(_fresh(wanted, facts.newest_s[wanted.type, wanted.name]))
        else:
            text = f"the stream {wanted.name} exists, but its newest record could not be read"
            lines.append(Line("streams", wanted.name, "warn", text, "look into the server's own log"))
    return lines


def _missing(wanted: Wanted, names: tuple[str, ...]) -> Line:
    others = namesakes(wanted.name, names)
    if others and wanted.variable:
        text = (
            f"the server has no stream {wanted.name}, but it has {', '.join(others[:3])}: it writes names"
            " otherwise than is expected here, and queries are not rewritten"
        )
        return Line("streams", wanted.name, "fail", text, f"export {wanted.variable}={others[0]}")
    if wanted.made:
        text = f"the stream {wanted.name} does not exist: alerts and dashboards have nothing to read"
        return Line("streams", wanted.name, "fail", text, _INIT)
    text = f"the {wanted.type} stream {wanted.name} does not exist: nothing has arrived in it yet"
    return Line("streams", wanted.name, "warn", text, "run the app; if it ran: cqrs openobserve verify")


def _fresh(wanted: Wanted, age: float | None) -> Line:
    if age is None:
        text = f"the {wanted.type} stream {wanted.name} has no record of the last 7 days"
        return Line("streams", wanted.name, "warn", text, "run the app; if it ran: cqrs openobserve verify")
    text = f"the newest record of the {wanted.type} stream {wanted.name} is {age_text(age)} old"
    if age > _OLD_S:
        return Line("streams", wanted.name, "warn", text, "run the app; if it ran: cqrs openobserve verify")
    return Line("streams", wanted.name, "ok", text)


def age_text(seconds: float) -> str:
    """Give an age in words.

    Args:
        seconds: the age; of something from the future it is negative.
    """
    for name, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"
