"""Whether the columns of the streams are those that alerts and dashboards read."""

from typing import final
from urllib.parse import quote

import attrs

from cqrs_openobserve.answers import Answer
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.lines import Line
from cqrs_openobserve.doctor.server import Asking
from cqrs_openobserve.doctor.streams import StreamFacts
from cqrs_openobserve.provision.streams import Difference, Stream, compare, schema_of, streams_of


@final
@attrs.frozen
class ColumnFacts:
    """How the columns of one stream differ.

    Attributes:
        stream: as it should be.
        difference: how it differs; None if the server did not say.
    """

    stream: Stream
    difference: Difference | None


def look(configuration: Configuration, client: Asking, streams: StreamFacts) -> tuple[ColumnFacts, ...]:
    """Ask for the columns of the streams that exist.

    Args:
        configuration: which streams.
        client: with a token that may read them.
        streams: which there are.
    """
    there = streams.names["logs"] or ()
    return tuple(_columns(client, stream) for stream in streams_of(configuration) if stream.name in there)


def _columns(client: Asking, stream: Stream) -> ColumnFacts:
    answer = client.call("GET", f"/streams/{quote(stream.name, safe='')}/schema", {"type": "logs"})
    schema = schema_of(answer.json()) if isinstance(answer, Answer) and answer.status == 200 else None
    return ColumnFacts(stream, None if schema is None else compare(stream, schema))


def judge(facts: tuple[ColumnFacts, ...]) -> list[Line]:
    """Tell of each stream whether its columns are right.

    Args:
        facts: what ``look`` gave.
    """
    return [line for each in facts for line in _judged(each)]


def _judged(facts: ColumnFacts) -> list[Line]:
    stream, found = facts.stream, facts.difference
    if found is None:
        text = f"the columns of {stream.name} could not be read"
        return [Line("provisioning", stream.name, "warn", text, "look into the server's own log")]
    lines: list[Line] = []
    if found.widened:
        kinds = ", ".join(f"{column.name} is {kind}, not {column.type}" for column, kind in found.widened)
        text = (
            f"column types of {stream.name} conflict: {kinds}; a value of another type came in, and the server"
            " cannot change a column back"
        )
        fix = f"delete the stream and run cqrs openobserve init, or export {stream.variable}=another-name; shipped queries go on to answer meanwhile"
        lines.append(Line("provisioning", stream.name, "fail", text, fix))
    if found.missing:
        names = ", ".join(column.name for column in found.missing)
        text = f"{stream.name} lacks the columns {names}, and an alert over a missing column never fires"
        lines.append(Line("provisioning", stream.name, "warn", text, "cqrs openobserve init"))
    ok = Line("provisioning", stream.name, "ok", f"{stream.name} has its {len(stream.columns)} columns")
    return lines or [ok]
