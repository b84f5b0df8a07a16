"""Brings the server into the desired state, step by step; repeated, it changes nothing."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, Protocol, final
from urllib.parse import quote

import attrs

from cqrs.clock import Clock, SystemClock
from cqrs_openobserve.answers import Answer, Trouble, meaning
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.encoding import encode
from cqrs_openobserve.payloads import Payload, json_payloads
from cqrs_openobserve.provision.streams import Difference, Stream, compare, schema_of, streams_of
from cqrs_openobserve.records import RowBuilder
from cqrs_openobserve.service import new_instance

_LOGS: Final = {"type": "logs"}
_VISIBLE_S: Final = 5.0


class Server(Protocol):
    """What provisioning needs of the client."""

    def call(
        self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer | Trouble:
        """Make a management call."""
        ...

    def send(self, payload: Payload, /) -> Answer | Trouble:
        """Send records."""
        ...


@final
@attrs.frozen
class Step:
    """One step and what it came to.

    Attributes:
        subject: what it was about.
        did: ``created``, ``changed``, ``unchanged`` or ``failed``.
        text: one line about it.
        hint: what to do if it failed.
    """

    subject: str
    did: str
    text: str
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether the desired state is reached."""
        return self.did != "failed"


def apply(
    configuration: Configuration,
    server: Server,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Step]:
    """Create every stream with all its columns; add columns that one lacks.

    Args:
        configuration: what is needed.
        server: with full credentials.
        clock: tells the time.
        sleep: waits, in seconds.

    Yields:
        Each step when it is done; after one that no other can follow, no more.
    """
    provisioner = _Provisioner(configuration, server, clock or SystemClock(), sleep)
    for stream in streams_of(configuration):
        step = provisioner.stream(stream)
        yield step
        if provisioner.hopeless:
            return


@final
class _Provisioner:
    def __init__(
        self, configuration: Configuration, server: Server, clock: Clock, sleep: Callable[[float], None]
    ) -> None:
        self._configuration = configuration
        self._server = server
        self._clock = clock
        self._sleep = sleep
        self.hopeless = False

    def stream(self, stream: Stream) -> Step:
        path = f"/streams/{quote(stream.name, safe='')}"
        answer = self._server.call("POST", path, _LOGS, stream.creation())
        if isinstance(answer, Answer) and answer.status == 200:
            return Step(stream.name, "created", f"with {len(stream.columns)} columns")
        if isinstance(answer, Answer) and answer.status == 400 and b"already exists" in answer.body:
            return self._existing(stream)
        return self._failed(stream, answer)

    def _existing(self, stream: Stream) -> Step:
        found = self._difference(stream)
        if not isinstance(found, Difference):
            return found
        missing = found.missing
        if missing:
            answer = self._server.send(self._probe(stream))
            if meaning(answer, 1, datetime.now(UTC)).delivered != 1:
                return self._failed(stream, answer)
            found = self._until_visible(stream)
            if not isinstance(found, Difference):
                return found
        if found.widened:
            return _widened(stream, found)
        if found.missing:
            names = ", ".join(column.name for column in found.missing)
            return Step(
                stream.name, "failed", f"the server did not add {names}", "look into the server's own log."
            )
        added = ", ".join(column.name for column in missing)
        return (
            Step(stream.name, "changed", f"added {added}") if missing else Step(stream.name, "unchanged", "")
        )

    def _until_visible(self, stream: Stream) -> Difference | Step:
        found = self._difference(stream)
        waited = 0.0
        while isinstance(found, Difference) and found.missing and waited < _VISIBLE_S:
            self._sleep(0.1)
            waited += 0.1
            found = self._difference(stream)
        return found

    def _difference(self, stream: Stream) -> Difference | Step:
        answer = self._server.call("GET", f"/streams/{quote(stream.name, safe='')}/schema", _LOGS)
        schema = schema_of(answer.json()) if isinstance(answer, Answer) and answer.status == 200 else None
        return self._failed(stream, answer) if schema is None else compare(stream, schema)

    def _probe(self, stream: Stream) -> Payload:
        rows = RowBuilder(self._configuration.service, new_instance())
        row = rows.probe_row(stream.kind, self._clock.time_ns() // 1000, "init")
        return next(json_payloads(stream.name, [(encode(row), 0)]))

    def _failed(self, stream: Stream, answer: Answer | Trouble) -> Step:
        meant = meaning(answer, 1, datetime.now(UTC))
        unauthorised = isinstance(answer, Answer) and answer.status in {401, 403}
        self.hopeless = isinstance(answer, Trouble) or unauthorised
        hint = admin_hint(self._configuration) if unauthorised else meant.hint
        text = meant.text or f"the server answered {getattr(answer, 'excerpt', '')}"
        return Step(stream.name, "failed", text, hint or "look into the server's own log.")


def admin_hint(configuration: Configuration) -> str:
    """Say what to do about refused credentials where full ones are needed."""
    if configuration.settings.admin_token is None:
        return (
            "an ingestion token may only send: set OPENOBSERVE_ADMIN_TOKEN to user:password or a service account's"
            " token; if OPENOBSERVE_TOKEN is such a one, check it."
        )
    return "check OPENOBSERVE_ADMIN_TOKEN and OPENOBSERVE_ORGANIZATION."


def _widened(stream: Stream, found: Difference) -> Step:
    columns = ", ".join(f"{column.name} is {kind}, not {column.type}" for column, kind in found.widened)
    return Step(
        stream.name,
        "failed",
        f"{columns}: a value of another type came in, and the server cannot change a column back",
        f"delete the stream, or choose another name in CQRS_STREAM_{_PLURAL[stream.kind]}.",
    )


_PLURAL: Final = {"command": "COMMANDS", "query": "QUERIES", "event": "EVENTS"}
