"""The plugin's own exporter as its laws look at it, from the queue of observations to the wire."""

import gzip
import tempfile
import time
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final, final

from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.delivery import CAPACITY
from cqrs_openobserve.exporter import Exporter, Rules
from cqrs_openobserve.ledger import SignalLedger
from cqrs_openobserve.observations import SUCCESSES, More, Observation, Outcome, Subject
from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.payloads import MOST_RECORDS, Payload
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plan import Queues, plan_of
from cqrs_openobserve.plugin import OpenObserve, pipeline_of
from cqrs_openobserve.testing.exporter_laws import ExporterSubject, SteppedExporter
from cqrs_openobserve.testing.fault_server import Received
from cqrs_openobserve.testing.played_server import PlayedServer, playing
from cqrs_openobserve.testing.recording_transport import RecordingTransport, rows_of
from cqrs_openobserve.testing.running_laws import RunningSubject
from cqrs_openobserve.testing.transparency_laws import TransparencySubject

MAX_RETRIES: Final = 3
_MOST_SENT_AT_ONCE: Final = 60
_EXIT_S: Final = 0.2
_IN_A_HURRY: Final = {
    "flush_interval": "60s",
    "exit_timeout": "200ms",
    "timeout": "1s",
    "max_retries": "1",
}
_COUNT: Final = Subject("command", "handled", "Count", "laws.count")


@final
class _Clock:
    # Stands still until it is moved.
    def __init__(self) -> None:
        self.now = 10**15

    def monotonic_ns(self) -> int:
        return self.now

    def time_ns(self) -> int:
        return self.now + 10**18


@final
class OwnExporter:
    """The exporter of the plugin; a number is the ``message_id`` of a dispatch.

    Args:
        place: the directory of its spool.
        server: where it sends.
    """

    def __init__(self, place: str, server: PlayedServer) -> None:
        self._clock = _Clock()
        self._queues = Queues(lambda: None)
        configuration = _configuration(place)
        rules = Rules(MAX_RETRIES, configuration.spool, lambda: 0.5)
        plan = plan_of(configuration, self._queues, "laws", self._clock.time_ns())
        transport = RecordingTransport(playing(server, numbers_of))
        self._exporter = Exporter(plan, transport, rules, self._clock)

    def offer(self, number: int, /) -> None:
        """Observe a number."""
        self._offer(number, "success", None)

    def confide(self, number: int, text: str) -> None:
        """Observe a number that failed with a text.

        Args:
            number: which.
            text: of the error.
        """
        self._offer(number, "error", More(error_type="ValueError", error=ValueError(text)))

    def step(self) -> None:
        """Encode what waits, spool what cannot be sent, and send what may be sent now."""
        self._exporter.work()
        for _ in range(_MOST_SENT_AT_ONCE):
            with self._exporter.books:
                found = self._exporter.pick()
            if not isinstance(found, Parcel):
                break
            self._exporter.send(found)
        self._exporter.park()

    def wait(self, seconds: float, /) -> None:
        """Let time pass."""
        self._clock.now += round(seconds * 1e9)

    def end(self) -> None:
        """Spool what is left, count the rest, and let go of the spool."""
        self._exporter.work(force=True)
        self._exporter.park(everything=True)
        self._exporter.give_up("shutdown_timeout")
        self._exporter.close()

    def books(self) -> SignalLedger:
        """Read the books."""
        return self._exporter.ledger()["logs"]

    def _offer(self, number: int, outcome: Outcome, more: More | None) -> None:
        self._queues.observations.offer(_observed(number, self._clock.monotonic_ns(), outcome, more))


@final
class RunningOwnExporter:
    """The plugin's pipeline on its threads.

    Args:
        place: the directory of its spool.
        url: where it sends.
    """

    def __init__(self, place: str, url: str) -> None:
        self._pipeline: Pipeline = pipeline_of(_configuration(place, url=url, **_IN_A_HURRY))

    def offer(self, number: int, /) -> None:
        """Observe a number."""
        self._pipeline.queue.offer(_observed(number, time.monotonic_ns()))

    def flush(self, seconds: float, /) -> object:
        """Send what waits, and wait until it is settled."""
        return self._pipeline.flush(seconds)

    def stop(self) -> object:
        """Stop within the exit timeout."""
        return self._pipeline.stop()

    def books(self) -> SignalLedger:
        """Read the books."""
        return self._pipeline.ledger()


def own_running_exporter() -> RunningSubject:
    """Give the plugin's own exporter on its threads."""
    return RunningSubject(_place, RunningOwnExporter, _numbers, _EXIT_S)


def own_plugin() -> TransparencySubject:
    """Give the plugin with all three signals, which sends each record at once."""
    return TransparencySubject(_place, _plugin)


def own_exporter() -> ExporterSubject:
    """Give the plugin's own exporter."""
    most = SUCCESSES + CAPACITY * MOST_RECORDS
    return ExporterSubject(_place, OwnExporter, most, MAX_RETRIES, _confide, unzipped)


def numbers_of(payload: Payload) -> Sequence[int]:
    """Read the numbers of a payload's records.

    Args:
        payload: as it was sent.
    """
    return [int(str(row["message_id"]), 16) for row in rows_of(payload)]


def unzipped(data: bytes) -> bytes:
    """Make readable what is spooled or sent: what is packed in it, or itself.

    Args:
        data: of a file or a request.
    """
    try:
        return gzip.decompress(data[data.find(b"\x1f\x8b") :])
    except (OSError, EOFError, zlib.error):
        return data


def _place() -> AbstractContextManager[str]:
    return tempfile.TemporaryDirectory(prefix="exporter-laws-")


def _confide(exporter: SteppedExporter, number: int, text: str) -> None:
    assert isinstance(exporter, OwnExporter)  # noqa: S101 - as begin made it
    exporter.confide(number, text)


def _plugin(place: str, url: str) -> OpenObserve:
    everything = {"tracing_sampling_rate": "1", "log_level": "DEBUG", "log_error_messages": True}
    hurry = {
        "batch_size": 1,
        "flush_interval": 10,
        "exit_timeout": 100,
        "timeout": 1_000,
        "metric_interval": 1_000,
    }
    return OpenObserve(url=url, token="user:secret", spool_dir=place, **everything, **hurry)  # noqa: S106  # no secret


def _numbers(received: Received) -> Sequence[int]:
    return [int(str(row["message_id"]), 16) for row in received.rows]


def _observed(
    number: int, now_ns: int, outcome: Outcome = "success", more: More | None = None
) -> Observation:
    return (_COUNT, outcome, now_ns, 1, number, 1, None, 1, 1, 0, False, more)


def _configuration(place: str, **given: str) -> Configuration:
    usual = {"metrics_enabled": "false", "tracing_enabled": "false", "log_error_messages": "true"}
    where = {"url": "http://localhost:5080", "token": "user:secret", "spool_dir": place}
    return read({}, usual | where | given).unwrap()
