"""Proves an installation: a probe through the pipeline of production, read back by SQL with fields and types."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, final

import attrs
import orjson

from cqrs_openobserve.answers import Answer, Trouble, meaning
from cqrs_openobserve.client import Client
from cqrs_openobserve.columns import ColumnType
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.json_values import mapping, sequence
from cqrs_openobserve.observations import Observation, Subject
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.provision.apply import admin_hint
from cqrs_openobserve.provision.streams import Stream, streams_of

_NOT_YET: Final = frozenset({20002, 20004, 20008})
_PYTHON: Final[dict[ColumnType, tuple[type, ...]]] = {
    "Utf8": (str,),
    "Int64": (int,),
    "Float64": (float, int),
    "Boolean": (bool,),
}


@final
@attrs.frozen
class Finding:
    """What became of one probe.

    Attributes:
        stream: the server's name of the stream.
        proven: whether the probe was read back with the right fields and types.
        text: the delay, or what was missed.
        cause: the likely cause of a miss.
    """

    stream: str
    proven: bool
    text: str
    cause: str = ""


@final
class Verification:
    """Sends one probe per stream and reads each back.

    Args:
        configuration: what to prove.
        pipeline: as in production; stopped by the caller.
        client: with full credentials.
        timeout_s: how long to wait for each, in seconds.
        sleep: waits, in seconds.
    """

    def __init__(
        self,
        configuration: Configuration,
        pipeline: Pipeline,
        client: Client,
        *,
        timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._configuration = configuration
        self._pipeline = pipeline
        self._client = client
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._probe = secrets.randbits(128)
        self._skew_s = 0.0

    def run(self) -> Iterator[Finding]:
        """Prove each stream in turn."""
        streams = streams_of(self._configuration)
        began = time.monotonic()
        for stream in streams:
            self._pipeline.queue.offer(_observation(stream, self._probe))
        flushed = self._pipeline.flush(self._timeout_s)
        for stream in streams:
            yield self._read_back(stream, began) if flushed.delivered else self._undelivered(stream)

    def _undelivered(self, stream: Stream) -> Finding:
        trouble = self._pipeline.trouble or "the pipeline did not get to it: raise --timeout."
        return Finding(stream.name, proven=False, text="the probe was not delivered", cause=trouble)

    def _read_back(self, stream: Stream, began: float) -> Finding:
        until = began + self._timeout_s
        while True:
            answer = self._search(stream)
            found = _hits(answer)
            if found:
                milliseconds = (time.monotonic() - began) * 1000
                return _judged(stream, mapping(found[0]), milliseconds)
            if found is None:
                return self._refused(stream, answer)
            if time.monotonic() >= until:
                return Finding(stream.name, proven=False, text="the probe was not found", cause=self._cause())
            self._sleep(0.1)

    def _search(self, stream: Stream) -> Answer | Trouble:
        now = time.time_ns() // 1000
        # The name is normalised and the probe is hexadecimal: nothing in this SQL is foreign text.
        sql = f"SELECT * FROM \"{stream.name}\" WHERE correlation_id = '{self._probe:032x}'"  # noqa: S608  # as above
        window = {"start_time": now - 3_600_000_000, "end_time": now + 3_600_000_000, "from": 0, "size": 10}
        body = orjson.dumps({"query": {"sql": sql} | window})
        answer = self._client.call("POST", "/_search", {"type": "logs", "use_cache": "false"}, body)
        if isinstance(answer, Answer):
            self._skew_s = _skew_s(answer.headers.get("date", ""))
        return answer

    def _refused(self, stream: Stream, answer: Answer | Trouble) -> Finding:
        meant = meaning(answer, 1, datetime.now(UTC))
        unauthorised = isinstance(answer, Answer) and answer.status in {401, 403}
        cause = admin_hint(self._configuration) if unauthorised else meant.hint
        text = f"the probe was sent but cannot be read back: {meant.text or 'the answer is partial'}"
        return Finding(stream.name, proven=False, text=text, cause=cause or "look into the server's own log.")

    def _cause(self) -> str:
        books = self._pipeline.ledger()
        if books.lost or books.waiting:
            return self._pipeline.trouble
        if abs(self._skew_s) > 300:
            return f"the server's clock is {self._skew_s:+.0f} s away from this machine's."
        return (
            "it was stored elsewhere: check OPENOBSERVE_ORGANIZATION, or the server is slow: raise --timeout."
        )


def _observation(stream: Stream, probe: int) -> Observation:
    subject = Subject(stream.kind, "probe", "Probe", "cqrs_openobserve.verify")
    now = time.monotonic_ns()
    return (subject, "success", now, 1_500_000, probe, probe, None, probe, 1, 0, False, None)


def _hits(answer: Answer | Trouble) -> Sequence[object] | None:
    # None: the answer is no answer to the question; empty: not there yet.
    if isinstance(answer, Trouble):
        return None
    body = mapping(answer.json())
    if answer.status == 400 and body.get("code") in _NOT_YET:
        return ()
    if answer.status != 200 or body.get("is_partial") or body.get("function_error") or "hits" not in body:
        return None
    return sequence(body["hits"])


def _judged(stream: Stream, row: Mapping[str, object], milliseconds: float) -> Finding:
    missing = [column.name for column in stream.columns if row.get(column.name) is None]
    wrong = [
        f"{column.name} is a {type(row[column.name]).__name__}, not {column.type}"
        for column in stream.columns
        if row.get(column.name) is not None and type(row[column.name]) not in _PYTHON[column.type]
    ]
    if not missing and not wrong:
        text = f"read back after {milliseconds:.0f} ms with {len(stream.columns)} fields"
        return Finding(stream.name, proven=True, text=text)
    said = "; ".join([*wrong, *([f"missing {', '.join(missing)}"] if missing else [])])
    cause = "the stream was made by something else: run `cqrs openobserve init`, which says what to do."
    return Finding(stream.name, proven=False, text=f"the probe came back wrong: {said}", cause=cause)


def _skew_s(date: str) -> float:
    try:
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
