"""A program that observes something so many times a second, and ends; ``bench/outage.py`` runs it.

``python bench/outage_program.py ours|spans|logs URL RATE SECONDS COUNTER``. It says that it is ready, waits for a line,
and writes how many it has sent into the file COUNTER as it goes, where they can be read after a kill -9. At the end one
line of JSON: how many, the longest call in ms, what its own books say, and the time.
"""

import asyncio
import json
import logging
import mmap
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

STEP_S: Final = 0.01


class Load:
    """Calls at a rate, and remembers how many there were and how long the longest took."""

    def __init__(self, rate: float, seconds: float, counter: Path) -> None:
        self.sent, self.longest_ns = 0, 0
        self._rate, self._seconds = rate, seconds
        with counter.open("r+b") as file:
            self._counter = mmap.mmap(file.fileno(), 8)
        self._began = 0.0

    def due(self) -> int:
        """How many are due now; -1 once the time is over."""
        self._began = self._began or time.perf_counter()
        elapsed = time.perf_counter() - self._began
        return int(elapsed * self._rate) - self.sent if elapsed < self._seconds else -1

    def took(self, began_ns: int) -> None:
        """Count one."""
        self.longest_ns = max(self.longest_ns, time.perf_counter_ns() - began_ns)
        self.sent += 1
        struct.pack_into("q", self._counter, 0, self.sent)

    def tell(self, **more: object) -> None:
        """Say what there is to say at the end."""
        said = {
            "sent": self.sent,
            "longest_ms": self.longest_ns / 1e6,
            "at": time.clock_gettime(time.CLOCK_REALTIME),
            **more,
        }
        print(json.dumps(said), flush=True)


def ours(url: str, load: Load) -> None:
    """The plugin with its defaults, in an app whose one handler is dispatched."""
    import attrs
    from cqrs_openobserve import OpenObserve, Telemetry
    from returns.result import Result, Success

    from cqrs import Command, CqrsModule, Feature

    @attrs.frozen
    class Place(Command[int, str]):
        number: int

    feature = Feature("bench")

    @feature.handles(Place)
    async def place(command: Place) -> Result[int, str]:
        return Success(command.number)

    async def run() -> None:
        plugin = OpenObserve(url=url, token="u:p")
        app = CqrsModule.for_root(feature, plugins=(plugin,))
        async with app as bus:
            ready()
            while (due := load.due()) >= 0:
                for _ in range(due):
                    began = time.perf_counter_ns()
                    await bus.commands.execute(Place(load.sent))
                    load.took(began)
                await asyncio.sleep(STEP_S)
            books = app.container.resolve(Telemetry).ledger()
            load.tell(lost=books.lost, dropped=dict(books.dropped), ambiguous=books.ambiguous)

    del place
    asyncio.run(run())


def spans(url: str, load: Load) -> None:
    """A span each, through the SDK's batch processor and its OTLP exporter, with their defaults."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    tracer = provider.get_tracer("bench")
    until_over(load, lambda: tracer.start_span("command Place", attributes={"n": load.sent}).end())


def logs(url: str, load: Load) -> None:
    """A log record each, through the SDK's batch processor and its OTLP exporter, with their defaults."""
    from opentelemetry._logs import SeverityNumber
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs")))
    logger = provider.get_logger("bench")

    def emit() -> None:
        number = SeverityNumber.INFO
        logger.emit(
            timestamp=time.time_ns(),
            severity_number=number,
            body="command Place",
            attributes={"n": load.sent},
        )

    until_over(load, emit)


def until_over(load: Load, once: Callable[[], object]) -> None:
    """Call while there is time; the exit of the interpreter is left to do what it does."""
    ready()
    while (due := load.due()) >= 0:
        for _ in range(due):
            began = time.perf_counter_ns()
            once()
            load.took(began)
        time.sleep(STEP_S)
    load.tell()


def ready() -> None:
    """Say so, and wait to be told to begin."""
    print("ready", flush=True)
    sys.stdin.readline()


PROGRAMS: Final = {"ours": ours, "spans": spans, "logs": logs}


def main() -> None:
    """Run the one that was asked for."""
    name, url, rate, seconds, counter = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    with suppress(KeyboardInterrupt):
        PROGRAMS[name](url, Load(float(rate), float(seconds), Path(counter)))


if __name__ == "__main__":
    main()
