"""Makes streams, and gives those that exist the columns and settings that they lack."""

import time
from collections.abc import Callable, Sequence
from typing import Final, cast, final
from urllib.parse import quote

from cqrs.clock import Clock
from cqrs_openobserve.answers import Answer, counts_of
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.provision.actual import ActualStream, read_stream
from cqrs_openobserve.provision.difference import Change, FieldChange, stream_changes
from cqrs_openobserve.provision.probes import probe
from cqrs_openobserve.provision.server import Refusal, Server, content, encoded, refusal, succeeded
from cqrs_openobserve.provision.streams import Stream, compare

_LOGS: Final = {"type": "logs"}
_VISIBLE_S: Final = 5.0
_COLUMN: Final = "columns."


@final
class StreamSteps:
    """Carries out what a plan says of streams.

    Args:
        configuration: who sends probes.
        server: with full credentials.
        clock: tells the time.
        sleep: waits, in seconds.
    """

    def __init__(
        self,
        configuration: Configuration,
        server: Server,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._configuration = configuration
        self._server = server
        self._clock = clock
        self._sleep = sleep

    def carry_out(self, stream: Stream, change: Change) -> str | Refusal:
        """Create a stream, or complete it.

        Args:
            stream: as it should be.
            change: what the plan says.

        Returns:
            What was done, or why it was not.
        """
        if change.kind != "create":
            return self._complete(stream, change.fields)
        answer = self._server.call("POST", _path(stream), _LOGS, stream.creation())
        if succeeded(answer):
            return (
                self._set(stream, stream.indexed, stream.retention) or f"with {len(stream.columns)} columns"
            )
        if not (isinstance(answer, Answer) and answer.status == 400 and b"already exists" in answer.body):
            return refusal(self._configuration, answer)
        found = read_stream(self._configuration, self._server, stream)  # an app made it meanwhile
        return (
            found
            if isinstance(found, Refusal)
            else self._complete(stream, stream_changes(stream, found)[0].fields)
        )

    def _complete(self, stream: Stream, fields: Sequence[FieldChange]) -> str | Refusal:
        missing = [field.path.removeprefix(_COLUMN) for field in fields if field.path.startswith(_COLUMN)]
        paths = {field.path for field in fields}
        if missing and (refused := self._add_columns(stream)) is not None:
            return refused
        indexed = next((field.wanted for field in fields if field.path == "settings.index_fields"), ())
        retention = stream.retention if "settings.data_retention" in paths else 0
        names = [name for name in stream.indexed if name in cast("Sequence[object]", indexed)]
        refused = self._set(stream, names, retention)
        if refused is not None:
            return refused
        said = [f"added {', '.join(missing)}"] if missing else []
        said += [f"indexed {', '.join(names)}"] if names else []
        return "; ".join([*said, *([f"kept for {retention} days"] if retention else [])])

    def _add_columns(self, stream: Stream) -> Refusal | None:
        """No call adds a column: one record that has them all does."""
        answer = self._server.send(probe(stream, self._configuration.service, self._clock.time_ns() // 1000))
        if counts_of(content(answer)) != (1, 0):
            return refusal(self._configuration, answer)
        waited = 0.0
        while True:
            found = read_stream(self._configuration, self._server, stream)
            if isinstance(found, Refusal):
                return found
            missing = _missing(stream, found)
            if not missing:
                return None
            if waited >= _VISIBLE_S:
                return Refusal(
                    f"the server did not add {', '.join(missing)}", "look into the server's own log."
                )
            self._sleep(0.1)
            waited += 0.1

    def _set(self, stream: Stream, indexed: Sequence[str], retention: int) -> Refusal | None:
        delta: dict[str, object] = {}
        if indexed:  # what is added twice stands there twice
            delta["index_fields"] = {"add": list(indexed), "remove": []}
        if retention:
            delta["data_retention"] = retention
        if not delta:
            return None
        answer = self._server.call("PUT", f"{_path(stream)}/settings", _LOGS, encoded(delta))
        return None if succeeded(answer) else refusal(self._configuration, answer)


def _missing(stream: Stream, found: ActualStream | None) -> list[str]:
    return [column.name for column in compare(stream, found.schema if found else {}).missing]


def _path(stream: Stream) -> str:
    return f"/streams/{quote(stream.name, safe='')}"
