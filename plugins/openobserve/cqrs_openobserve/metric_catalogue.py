"""The one table of metrics: names, units, attributes and buckets. Documentation and dashboards are made from it."""

from collections.abc import Mapping
from typing import Final, Literal, final

import attrs

from cqrs.middleware import Kind

MetricType = Literal["histogram", "counter", "gauge"]

# 0.3 and 0.5 s are the thresholds from which a query and a command count as slow.
DURATION_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
MOST_SERIES: Final = 2_000
OTHER: Final = "_OTHER"


@final
@attrs.frozen(eq=False)
class Metric:
    """One metric.

    Attributes:
        name: as OpenTelemetry knows it; the server stores dots as underscores.
        type: histogram, counter (only grows) or gauge (goes up and down).
        unit: in UCUM.
        doc: what it tells.
        attributes: what a series is told apart by; known from code alone, never from a payload.
        bounds: upper bounds of a histogram's buckets.
    """

    name: str
    type: MetricType
    unit: str
    doc: str
    attributes: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


def _duration(kind: Kind, what: str, *more: str) -> Metric:
    attributes = ("cqrs.message", "cqrs.outcome", "error.type", *more)
    return Metric(
        f"cqrs.{kind}.duration", "histogram", "s", f"How long {what} took.", attributes, DURATION_BOUNDS
    )


DURATIONS: Final[Mapping[Kind, Metric]] = {
    "command": _duration("command", "commands"),
    "query": _duration("query", "queries", "cqrs.cache.status"),
    "event": _duration("event", "deliveries of events", "cqrs.subscriber"),
}
RETRIES: Final[Mapping[Kind, Metric]] = {
    "command": Metric(
        "cqrs.command.retries", "counter", "{attempt}", "Further attempts at commands.", ("cqrs.message",)
    ),
    "query": Metric(
        "cqrs.query.retries", "counter", "{attempt}", "Further attempts at queries.", ("cqrs.message",)
    ),
    "event": Metric(
        "cqrs.event.retries", "counter", "{attempt}", "Further attempts at deliveries.", ("cqrs.message",)
    ),
}
PUBLISHES: Final = Metric(
    "cqrs.event.publishes", "counter", "{event}", "Events published.", ("cqrs.message", "cqrs.outcome")
)
INFLIGHT: Final = Metric(
    "cqrs.inflight", "gauge", "{message}", "Messages being handled now.", ("cqrs.kind", "cqrs.message")
)
CACHE_LOOKUPS: Final = Metric(
    "cqrs.query.cache.lookups",
    "counter",
    "{query}",
    "Queries that a cache was asked for.",
    ("cqrs.message", "cqrs.cache.status"),
)
CACHE_AGE: Final = Metric(
    "cqrs.query.cache.age",
    "histogram",
    "s",
    "Age of answers that came from a cache.",
    ("cqrs.message",),
    (1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 86_400.0),
)
DEAD_LETTERS: Final = Metric(
    "cqrs.dead_letter.parked", "counter", "{letter}", "Deliveries parked as dead letters.", ("cqrs.message",)
)
DEAD_LETTER_DEPTH: Final = Metric("cqrs.dead_letter.depth", "gauge", "{letter}", "Dead letters that wait.")
DEAD_LETTER_AGE: Final = Metric("cqrs.dead_letter.oldest_age", "gauge", "s", "Age of the oldest dead letter.")
ACCEPTED: Final = Metric(
    "cqrs.telemetry.accepted", "counter", "{item}", "Records, points and spans handed over.", ("cqrs.signal",)
)
DELIVERED: Final = Metric(
    "cqrs.telemetry.delivered",
    "counter",
    "{item}",
    "Of those, what the server said it stored.",
    ("cqrs.signal",),
)
DROPPED: Final = Metric(
    "cqrs.telemetry.dropped",
    "counter",
    "{item}",
    "Of those, what will not arrive, by reason.",
    ("cqrs.signal", "cqrs.reason"),
)
WAITING: Final = Metric(
    "cqrs.telemetry.waiting", "gauge", "{item}", "Of those, what is on its way.", ("cqrs.signal",)
)
CPU_TIME: Final = Metric("process.cpu.time", "counter", "s", "Processor time used.", ("cpu.mode",))
MEMORY: Final = Metric("process.memory.usage", "gauge", "By", "Memory that is resident.")
THREADS: Final = Metric("process.thread.count", "gauge", "{thread}", "Threads that Python knows of.")
DESCRIPTORS: Final = Metric(
    "process.unix.file_descriptor.count", "gauge", "{file_descriptor}", "File descriptors that are open."
)
UPTIME: Final = Metric("process.uptime", "gauge", "s", "Time since the pipeline was made.")
GC_COLLECTIONS: Final = Metric(
    "cpython.gc.collections", "counter", "{collection}", "Garbage collections.", ("cpython.gc.generation",)
)
GC_COLLECTED: Final = Metric(
    "cpython.gc.collected_objects", "counter", "{object}", "Objects collected.", ("cpython.gc.generation",)
)
GC_UNCOLLECTABLE: Final = Metric(
    "cpython.gc.uncollectable_objects",
    "counter",
    "{object}",
    "Objects found uncollectable.",
    ("cpython.gc.generation",),
)
LOOP_LAG: Final = Metric(
    "cqrs.event_loop.lag", "gauge", "s", "Longest delay of the event loop since the last reading."
)

CATALOGUE: Final[tuple[Metric, ...]] = (
    *DURATIONS.values(),
    *RETRIES.values(),
    PUBLISHES,
    INFLIGHT,
    CACHE_LOOKUPS,
    CACHE_AGE,
    DEAD_LETTERS,
    DEAD_LETTER_DEPTH,
    DEAD_LETTER_AGE,
    ACCEPTED,
    DELIVERED,
    DROPPED,
    WAITING,
    CPU_TIME,
    MEMORY,
    THREADS,
    DESCRIPTORS,
    UPTIME,
    GC_COLLECTIONS,
    GC_COLLECTED,
    GC_UNCOLLECTABLE,
    LOOP_LAG,
)
