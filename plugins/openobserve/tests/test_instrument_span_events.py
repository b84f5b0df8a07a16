"""What happened within a dispatch stands on its span: retries, the cache's answer, emitted events, dead letters."""

from typing import Any

import attrs
from cqrs_openobserve.dispatch_facts import Thresholds, cache_attributes
from cqrs_openobserve.instrument import DispatchInstrument
from cqrs_openobserve.late_spans import NAME
from cqrs_openobserve.observations import ObservationQueue
from cqrs_openobserve.providers import _Ids
from cqrs_openobserve.sampling import bound_of
from cqrs_openobserve.spans import DispatchSpans, Wanted
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Emit, Event, Feature, Query, RetryPolicy, current_context
from cqrs.middleware import HandlerInfo, Next


@attrs.frozen
class Busy:
    """May be gone at the next attempt."""

    transient: bool = True


@attrs.frozen
class Place(Command[int, Busy]):
    """Places, at the second attempt."""


@attrs.frozen
class Find(Query[int, str]):
    """Finds."""


@attrs.frozen
class Placed(Event):
    """Was placed."""


def noting(next: Next, handler: HandlerInfo) -> Next:
    """Be as much of a cache as notes something."""

    async def call(message: Any) -> Any:
        context = current_context()
        if handler.kind == "query" and context is not None:
            context.note("cache_status", "stale")
            context.note("cache_age_ms", 1500.0)
        return await next(message)

    return call


FEATURE = Feature("placing")
tries: list[int] = []


@FEATURE.handles(Place, retry=RetryPolicy(3, base=0.0))
async def place(command: Place, *, emit: Emit) -> Result[int, Busy]:
    del command
    tries.append(1)
    if len(tries) % 2:
        return Failure(Busy())
    emit(Placed())
    return Success(1)


@FEATURE.handles(Find)
async def find(query: Find) -> Result[int, str]:
    del query
    return Success(1)


@FEATURE.subscribes(Placed, name="never")
async def never(event: Placed) -> Result[None, str]:
    del event
    return Failure("never")


async def events_of(run: Any) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Run messages in an app whose spans are kept; give their events by the span's name."""
    kept, wanted = InMemorySpanExporter(), Wanted()
    provider = TracerProvider(ALWAYS_ON, shutdown_on_exit=False, id_generator=_Ids(wanted))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    spans = DispatchSpans(provider.get_tracer(NAME), bound_of(1.0), wanted)
    thresholds = Thresholds("INFO", {"command": 500, "query": 300, "event": 1000})
    instrument = DispatchInstrument(ObservationQueue(lambda: None), thresholds, spans)
    async with CqrsModule.for_root(
        FEATURE, plugins=(), env={}, instruments=[instrument], middleware=[noting]
    ) as app:
        await run(app)
    return {
        span.name: [(event.name, dict(event.attributes or {})) for event in span.events]
        for span in kept.get_finished_spans()
    }


async def test_a_dispatch_tells_its_retries_what_it_emitted_and_what_was_parked() -> None:
    """On the span of the dispatch that the event came from."""

    async def run(app: Any) -> None:
        assert await app.commands.execute(Place()) == Success(1)

    found = (await events_of(run))["command Place"]
    told = dict(found)
    assert [name for name, _ in found] == ["cqrs.retry", "cqrs.dead_letter", "cqrs.emit"]
    assert told["cqrs.retry"]["error.type"] == "Busy"
    assert told["cqrs.emit"] == {"cqrs.message": "Placed", "cqrs.subscribers": 1}
    assert told["cqrs.dead_letter"] == {
        "cqrs.message": "Placed",
        "cqrs.subscriber": "never",
        "cqrs.attempts": 1,
        "cqrs.parked": True,
    }


async def test_a_query_tells_what_the_cache_said() -> None:
    """Its status and the age of the answer, in seconds."""

    async def run(app: Any) -> None:
        await app.queries.execute(Find())

    found = await events_of(run)
    assert found["query Find"] == [("cqrs.cache", {"cqrs.cache.status": "stale", "cqrs.cache.age": 1.5})]


def test_notes_of_another_type_are_left_out() -> None:
    """An attribute has one type for ever, and a limit."""
    assert cache_attributes({"cache_status": 5, "cache_age_ms": "old", "else": 1}) == {}
    assert cache_attributes({"cache_age_ms": True}) == {}
    assert cache_attributes({"cache_status": "x" * 200}) == {"cqrs.cache.status": "x" * 100}
