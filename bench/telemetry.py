"""What telemetry costs and what it delivers, beside the OpenTelemetry SDK, all in one run.

Run with ``just bench telemetry``. Sections, each can be chosen: ``caller`` (what a dispatch costs its caller),
``throughput`` (records per second and processor time per record, gzip on), ``others`` (the same of logfire and of
OpenObserve's own SDK, which are installed for it), ``sustained`` (10 000 records/s, what is lost), ``exit`` (how long a
program takes to end while the server misbehaves), ``memory`` and ``memory-only`` (during an outage, with and without a
spool), ``enqueue`` (how long one observation holds up its caller) and ``redaction`` (time for twice the text).
Ratios count, not microseconds: the machine is shared, and each section compares within itself.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs
from cqrs_openobserve import OpenObserve, Telemetry
from cqrs_openobserve.configuration import read
from cqrs_openobserve.observations import Observation, Subject
from cqrs_openobserve.plugin import pipeline_of
from cqrs_openobserve.redaction import redact
from cqrs_openobserve.testing import Behaviour, Drip, FaultServer, Hang, Received, Reply
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBasedTraceIdRatio
from returns.result import Result, Success
from telemetry_others import OTHERS, missing

from cqrs import Command, CqrsApp, CqrsModule, Feature

Shot = Callable[[], Awaitable[object]]
ATTRIBUTES = {"cqrs.message": "Place", "cqrs.outcome": "success"}


@attrs.frozen
class Place(Command[int, str]):
    """The message; built anew in each shot."""

    sku: str
    quantity: int


async def place(command: Place) -> Result[int, str]:
    """The handler: as little as a handler can do."""
    return Success(command.quantity)


def app(*plugins: OpenObserve) -> CqrsApp:
    """An app with the one handler."""
    feature = Feature("bench")
    feature.handles(Place)(place)
    return CqrsModule.for_root(feature, plugins=plugins, env={})


# --- what a dispatch costs its caller ---------------------------------------------------------------


class Nowhere(SpanExporter):
    """Takes spans and drops them: the caller's side alone is timed."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Drop them."""
        del spans
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Do nothing."""


def sdk_shot() -> Shot:
    """A span sampled at 0.1, a counter and a histogram around the same handler."""
    provider = TracerProvider(ParentBasedTraceIdRatio(0.1))
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    tracer, meter = provider.get_tracer("bench"), MeterProvider().get_meter("bench")
    counter, histogram = meter.create_counter("c"), meter.create_histogram("h")

    async def shot() -> object:
        began = time.perf_counter()
        with tracer.start_as_current_span("command Place", attributes=ATTRIBUTES):
            result = await place(Place("sku-1", 2))
        counter.add(1, ATTRIBUTES)
        histogram.record(time.perf_counter() - began, ATTRIBUTES)
        return result

    return shot


async def timed(shot: Shot, calls: int) -> float:
    """Processor seconds per call."""
    started = time.thread_time()
    for _ in range(calls):
        await shot()
    return (time.thread_time() - started) / calls


async def caller(rounds: int) -> None:
    """Time every variant once per round, in a random order."""
    quiet = {"url": "http://127.0.0.1:1", "token": "u:p", "spool_dir": "none", "exit_timeout": "100ms"}
    quiet |= {"batch_size": "10000", "flush_interval": "1h", "metric_interval": "1h"}
    apps = {
        "bus, no plugin": app(),
        "observed, sampled out": app(OpenObserve(**quiet, tracing_sampling_rate="0")),
        "observed, no tracing": app(OpenObserve(**quiet, tracing_enabled="false")),
        "observed, rate 0.1": app(OpenObserve(**quiet)),
    }
    async with AsyncExitStack() as stack:
        running = {name: await stack.enter_async_context(each) for name, each in apps.items()}
        queues = [
            each.container.resolve(Telemetry)._pipeline.queues  # noqa: SLF001 - emptied, so that no sending is timed
            for name, each in running.items()
            if name.startswith("observed")
        ]
        shots: dict[str, Shot] = {"bare handler": lambda: place(Place("sku-1", 2))}
        shots |= {name: dispatching(each) for name, each in running.items()}
        shots["SDK span(0.1)+counter+histogram"] = sdk_shot()
        seconds: dict[str, list[float]] = {name: [] for name in shots}
        for _ in range(rounds):
            for name in random.sample(list(shots), len(shots)):
                seconds[name].append(await timed(shots[name], 500))
                for each in queues:
                    each.observations.forget()
                    each.spans.forget()
    report_caller(seconds)


def dispatching(running: CqrsApp) -> Shot:
    """One dispatch through a bus."""
    execute = running.commands.execute
    return lambda: execute(Place("sku-1", 2))


def report_caller(seconds: Mapping[str, Sequence[float]]) -> None:
    """Ratios to the bare handler, and the added cost beside the SDK's."""
    base = seconds["bare handler"]
    print(f"bare handler: median {statistics.median(base) * 1e9:.0f} ns of processor time")
    for name, column in seconds.items():
        ratios = sorted(own / bare for own, bare in zip(column, base, strict=True))
        print(f"  {name:<34}{statistics.median(ratios):>8.2f} x bare   (p10 {ratios[len(ratios) // 10]:.2f})")
    own = statistics.median(seconds["observed, sampled out"])
    sdk = statistics.median(seconds["SDK span(0.1)+counter+histogram"])
    bare, bus = statistics.median(base), statistics.median(seconds["bus, no plugin"])
    print(f"  observed, sampled out: {own / bare:.2f} x bare (bar 4.0)")
    print(f"  added to a bare handler: {(own - bare) / (sdk - bare):.3f} x the SDK's (bar 0.1)")
    print(f"  added to the bus:        {(own - bus) / (sdk - bare):.3f} x the SDK's")


# --- a server that counts ----------------------------------------------------------------------------

COUNTING = textwrap.dedent(
    """
    import gzip, sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet per answer: two of them would wait for a delayed acknowledgement
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.endswith("/_json"):
                body = gzip.decompress(body)
                count = body.count(b'"_timestamp":')
                reply = b'{"code":200,"status":[{"name":"s","successful":%d,"failed":0}]}' % count
                kind = "application/json"
            else:
                reply, kind = b"", "application/x-protobuf"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
    """
)


@contextmanager
def counting_server() -> Iterator[str]:
    """A server in a process of its own, which costs this one nothing."""
    process = subprocess.Popen([sys.executable, "-c", COUNTING], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def observation() -> Observation:
    """One as a dispatch without a cause leaves it: two numbers drawn at random, of which one stands for three ids."""
    now, message = time.monotonic_ns(), BITS(128)
    took = now & 0xFFFFFF
    return (SUBJECT, "success", now, took, message, message, None, message, BITS(64), 0, False, None)


BITS = random.Random().getrandbits
SUBJECT = Subject("command", "handled", "Place", "bench.place")


def own_pipeline(url: str, **given: str) -> Any:
    """Our pipeline, logs only."""
    settings = {
        "url": url,
        "token": "u:p",
        "spool_dir": "none",
        "metrics_enabled": "false",
        "tracing_enabled": "false",
    }
    return pipeline_of(read({}, {**settings, **given}).unwrap())


def own_throughput(url: str, records: int, batch: int) -> tuple[float, float]:
    """Records per second and processor seconds per record."""
    pipeline = own_pipeline(url, batch_size=str(batch))
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(records):
        while (
            number % 256 == 0 and len(pipeline.queue) >= 8_000
        ):  # it is bounded, and nothing is to be dropped here
            time.sleep(0.001)
        pipeline.queue.offer(observation())
    report = pipeline.flush(120)
    seconds, used = time.perf_counter() - wall, time.process_time() - cpu
    books = pipeline.ledger()
    pipeline.stop()
    assert report.complete, str(books)
    assert books.delivered == records, str(books)
    return records / seconds, used / records


def sdk_throughput(url: str, records: int, batch: int) -> tuple[float, float]:
    """The same with spans of the SDK through its OTLP exporter."""
    exporter = OTLPSpanExporter(f"{url}/v1/traces", compression=Compression.Gzip)
    provider = TracerProvider(ALWAYS_ON, shutdown_on_exit=False)
    processor = BatchSpanProcessor(exporter, max_queue_size=1 << 20, max_export_batch_size=batch)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("bench")
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(records):
        with tracer.start_as_current_span("command Place", attributes=ATTRIBUTES):
            pass
    provider.force_flush(120_000)
    seconds, used = time.perf_counter() - wall, time.process_time() - cpu
    provider.shutdown()
    return records / seconds, used / records


def throughput(records: int, rounds: int) -> None:
    """Both at two batch sizes, in turns, so that whatever else the machine does meets both; medians of the ratios."""
    with counting_server() as url:
        for batch, bar in ((100, 5), (1_000, 10)):
            turns = [
                (own_throughput(url, records, batch), sdk_throughput(url, records // 4, batch))
                for _ in range(rounds)
            ]
            own, sdk = (
                [statistics.median(turn[who][what] for turn in turns) for what in (0, 1)] for who in (0, 1)
            )
            rates = sorted(own[0] / sdk[0] for own, sdk in turns)
            used = statistics.median(own[1] / sdk[1] for own, sdk in turns)
            print(
                f"batch {batch:>5}: {own[0]:8.0f} records/s, {own[1] * 1e6:6.1f} us of processor a record; SDK"
                f" {sdk[0]:7.0f}/s, {sdk[1] * 1e6:6.1f} us: {statistics.median(rates):.1f} x records/s (bar {bar};"
                f" {rates[0]:.1f} to {rates[-1]:.1f}), {used:.3f} x processor (bar 0.2)"
            )


def others(records: int) -> None:
    """The same spans, and the end with a dead server, of what else there is, each in an environment of its own."""
    with counting_server() as url:
        for other in OTHERS:
            if missing(other):
                continue
            for batch in (100, 1_000):
                own = own_throughput(url, records, batch)
                theirs = other.throughput(url, records // 4, batch)
                print(
                    f"{' '.join(other.needs)}, batch {batch}: {theirs[0]:.0f} records/s,"
                    f" {theirs[1] * 1e6:.1f} us of processor a record; ours {own[0] / theirs[0]:.1f} x records/s,"
                    f" {own[1] / theirs[1]:.3f} x processor"
                )
            told = other.told("http://127.0.0.1:9", "exit")
            print(f"  exit with a dead server: {time.time_ns() / 1e9 - float(told.split()[0]):.2f} s")


# --- 10 000 records a second --------------------------------------------------------------------------


def paced(send: Callable[[int], object], rate: int, seconds: float) -> int:
    """Call at a rate, in steps of 10 ms."""
    started, sent = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds:
        due = int(elapsed * rate)
        for number in range(sent, due):
            send(number)
        sent = max(sent, due)
        time.sleep(0.01)
    return sent


def sustained(seconds: float) -> None:
    """What is lost at 10 000 a second, and how long one took its caller."""
    with counting_server() as url:
        pipeline = own_pipeline(url)
        sent = paced(lambda _: pipeline.queue.offer(observation()), 10_000, seconds)
        pipeline.flush(30)
        books = pipeline.ledger()
        pipeline.stop()
        print(f"ours: {sent} sent, {books.delivered} delivered, {books.lost} lost {dict(books.dropped)}")
        exporter = OTLPSpanExporter(f"{url}/v1/traces", compression=Compression.Gzip)
        counted = Counted(exporter)
        provider = TracerProvider(ALWAYS_ON, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(counted))
        tracer = provider.get_tracer("bench")
        sent = paced(
            lambda _: tracer.start_span("command Place", attributes=ATTRIBUTES).end(), 10_000, seconds
        )
        provider.force_flush(30_000)
        provider.shutdown()
        print(f"SDK:  {sent} sent, {counted.spans} delivered, {sent - counted.spans} lost")


class Counted(SpanExporter):
    """Counts what an exporter took."""

    def __init__(self, inner: SpanExporter) -> None:
        self.inner, self.spans = inner, 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Pass on and count."""
        result = self.inner.export(spans)
        self.spans += len(spans) if result is SpanExportResult.SUCCESS else 0
        return result

    def shutdown(self) -> None:
        """Pass on."""
        self.inner.shutdown()


# --- the end -------------------------------------------------------------------------------------------

OWN_END = textwrap.dedent(
    """
    import sys, time
    from cqrs_openobserve.configuration import read
    from cqrs_openobserve.observations import Subject
    from cqrs_openobserve.plugin import pipeline_of
    given = {"url": sys.argv[1], "token": "u:p", "spool_dir": "none"}
    pipeline = pipeline_of(read({}, given).unwrap())
    subject = Subject("command", "handled", "Place", "h")
    for n in range(2000):
        pipeline.queue.offer((subject, "success", time.monotonic_ns(), 1, n, n, None, n, n, 0, False, None))
    time.sleep(0.2)
    print(time.time(), flush=True)
    """
)
SDK_END = textwrap.dedent(
    """
    import logging, sys, time
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    logging.disable(logging.CRITICAL)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(sys.argv[1] + "/v1/traces")))
    tracer = provider.get_tracer("bench")
    for n in range(2000):
        tracer.start_span("x").end()
    time.sleep(0.2)
    print(time.time(), flush=True)
    """
)


def end_of(program: str, url: str) -> float:
    """Seconds from the last line of a program to the end of its process."""
    done = subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, timeout=120, check=True
    )
    return time.time_ns() / 1e9 - float(done.stdout.split()[0])


def exits() -> None:
    """With a server that is dead, drips, hangs or answers 503."""
    behaviours: dict[str, Behaviour | None] = {
        "dead": None,
        "503": Reply(503),
        "dripping": Drip(0.5, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200),
        "hanging": Hang(),
    }
    for name, behaviour in behaviours.items():
        with FaultServer() as server:
            if behaviour is not None:
                server.behave = answering(behaviour)
            url = "http://127.0.0.1:9" if behaviour is None else server.url
            print(
                f"{name:<9} ours {end_of(OWN_END, url):6.2f} s (bar 2.5), SDK {end_of(SDK_END, url):6.2f} s",
                flush=True,
            )


def answering(behaviour: Behaviour) -> Callable[[Received], Behaviour]:
    """Answer every request alike."""
    return lambda _: behaviour


# --- memory, enqueue, redaction -------------------------------------------------------------------------


def resident() -> int:
    """Bytes of memory that are resident."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory(seconds: float, spool: str) -> None:
    """Resident memory while nobody answers, at 500 records a second."""
    pipeline = own_pipeline("http://127.0.0.1:9", spool_dir=spool)
    points: list[tuple[float, int]] = []

    def send(number: int) -> None:
        pipeline.queue.offer(observation())
        if number % 500 == 0:
            points.append((number / 500, resident()))

    paced(send, 500, seconds)
    half = points[len(points) // 2 :]
    slope = statistics.linear_regression(*zip(*half, strict=True)).slope if len(half) > 1 else 0.0
    print(
        f"resident after {seconds:.0f} s of outage: {points[-1][1] / 1e6:.1f} MB, at its half {half[0][1] / 1e6:.1f};"
        f" second half {slope / 1024:+.2f} KiB/s"
    )
    print(f"  {pipeline.ledger()}")
    pipeline.stop()


def spooling(minutes: float) -> None:
    """The same with a spool, as users have it."""
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as folder:
        memory(60 * minutes, folder)


def enqueue(count: int) -> None:
    """How long ``offer`` holds up its caller while the worker and the sender are busy."""
    with counting_server() as url:
        pipeline = own_pipeline(url)
        took: list[int] = []
        for number in range(count):
            one = observation()
            began = time.perf_counter_ns()
            pipeline.queue.offer(one)
            took.append(time.perf_counter_ns() - began)
            if number % 50 == 0:
                time.sleep(0.005)
        pipeline.stop()
    took.sort()
    print(
        f"enqueue: p50 {took[count // 2] / 1e3:.1f} us, p99 {took[count * 99 // 100] / 1e3:.1f} us (bar 1 ms)"
    )


def redaction() -> None:
    """Twice the text, of the kinds that make patterns slow."""
    for name, unit in {
        "plain": "a ",
        "at signs": "a@",
        "digits": "4 1 ",
        "url": "://a@",
        "pairs": "password=",
    }.items():
        took = [min(redacting(unit * (size // len(unit))) for _ in range(5)) for size in (1 << 15, 1 << 16)]
        print(f"redaction of {name:<9} {took[1] / took[0]:.2f} x for twice the text (bar 2.5)")


def redacting(text: str) -> int:
    """Processor time of one text, in ns."""
    began = time.process_time_ns()
    redact(text, len(text))
    return max(1, time.process_time_ns() - began)


def main() -> None:
    """Run the sections that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sections",
        nargs="*",
        help="caller throughput others sustained exit memory memory-only enqueue redaction; all if none",
    )
    parser.add_argument("--rounds", type=int, default=100, help="rounds of the caller's section")
    parser.add_argument("--records", type=int, default=40_000, help="records of the throughput section")
    parser.add_argument("--turns", type=int, default=7, help="turns of the throughput section")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the sustained section")
    parser.add_argument("--minutes", type=float, default=1.0, help="length of the memory sections (1)")
    arguments = parser.parse_args()
    sections: dict[str, Callable[[], None]] = {
        "caller": lambda: asyncio.run(caller(arguments.rounds)),
        "throughput": lambda: throughput(arguments.records, arguments.turns),
        "others": lambda: others(arguments.records),
        "sustained": lambda: sustained(arguments.seconds),
        "exit": exits,
        "memory": lambda: spooling(arguments.minutes),
        "memory-only": lambda: memory(60 * arguments.minutes, "none"),
        "enqueue": lambda: enqueue(20_000),
        "redaction": redaction,
    }
    print(f"Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for name in arguments.sections or sections:
        print(f"\n{name}", flush=True)
        sections[name]()


if __name__ == "__main__":
    main()
