import asyncio
import contextvars
import uuid
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import attrs
import pytest
from returns.result import Result, Success

from cqrs import (
    Command,
    Event,
    Feature,
    HandlerInfo,
    Instrument,
    MessageContext,
    Next,
    Query,
    current_context,
)
from cqrs.context import cqrs_context


@attrs.frozen
class Outer(Command[MessageContext, str]):
    """Answers with its context."""


@attrs.frozen
class Inner(Query[MessageContext, str]):
    """Answers with its context."""


@attrs.frozen
class Happened(Event):
    """An event."""


@pytest.fixture
def heard() -> list[MessageContext]:
    """The contexts of deliveries."""
    return []


def shop(heard: list[MessageContext], send: Any = None) -> Feature:
    feature = Feature("shop")

    @feature.handles(Outer)
    async def outer(_command: Outer, *, context: MessageContext) -> Result[MessageContext, Any]:
        if send is None:
            return Success(context)
        assert current_context() is context
        return await send()  # type: ignore[no-any-return]  # whatever came

    @feature.handles(Inner)
    async def inner(_query: Inner, *, context: MessageContext) -> Result[MessageContext, str]:
        return Success(context)

    @feature.subscribes(Happened, name="hear")
    async def hear(_event: Happened, *, context: MessageContext) -> Result[None, str]:
        heard.append(context)
        return Success(None)

    return feature


async def sent(bus: Any) -> MessageContext:
    return (await bus.commands.execute(Outer())).unwrap()  # type: ignore[no-any-return]  # whatever came


async def test_a_handler_that_asks_for_its_context_gets_it(
    compose_app: Any, heard: list[MessageContext]
) -> None:
    """Without any instrument: asking for it turns it on, for every handler of the app."""
    async with compose_app(shop(heard)) as bus:
        first, second = await sent(bus), await sent(bus)
        await bus.events.publish(Happened())

    assert first.message_id != second.message_id
    assert first.causation_id is None
    assert (first.attempt, first.published, first.finished_at, dict(first.notes)) == (1, (), None, {})
    assert heard[0].causation_id is None


async def test_the_edge_gives_tenant_principal_and_correlation(
    compose_app: Any, heard: list[MessageContext]
) -> None:
    """Commands, queries and events that are sent inside have them; before and after there is nothing of it."""
    async with compose_app(shop(heard)) as bus:
        with cqrs_context(tenant="acme", principal="ann", correlation_id="request 7"):
            assert current_context() is None
            contexts = [await sent(bus), (await bus.queries.execute(Inner())).unwrap()]
            await bus.events.publish(Happened())
        after = await sent(bus)

    for context in [*contexts, *heard]:
        assert (context.tenant, context.principal, context.correlation_id) == ("acme", "ann", "request 7")
        assert context.causation_id is None
    assert len({context.correlation_number for context in [*contexts, *heard]}) == 1
    assert (after.tenant, after.principal) == (None, None)
    assert after.correlation_number != contexts[0].correlation_number


async def test_one_edge_is_one_cause(compose_app: Any, heard: list[MessageContext]) -> None:
    """Without a correlation id of the caller's, all messages of one request share a new one."""
    async with compose_app(shop(heard)) as bus:
        with cqrs_context(tenant="acme"):
            one, two = await sent(bus), await sent(bus)
        with cqrs_context(tenant="acme"):
            other = await sent(bus)

    assert one.correlation_id == two.correlation_id != other.correlation_id
    assert len(one.correlation_id) == 32


@pytest.mark.parametrize(
    "given", [f"{12345:032x}", str(uuid.UUID(int=12345)), str(uuid.UUID(int=12345)).upper()]
)
async def test_a_uuid_is_its_own_number(given: str, compose_app: Any, heard: list[MessageContext]) -> None:
    """An id of 32 hexadecimal digits is shown as given, and is the number that records carry."""
    async with compose_app(shop(heard)) as bus:
        with cqrs_context(correlation_id=given):
            context = await sent(bus)

    assert (context.correlation_number, context.correlation_id) == (12345, given)


async def test_what_is_blank_is_not_given(compose_app: Any, heard: list[MessageContext]) -> None:
    """A missing header is often an empty text: it is no tenant that all share, and no correlation."""
    async with compose_app(shop(heard)) as bus:
        with cqrs_context(tenant="acme", correlation_id="outer"), cqrs_context(tenant="", correlation_id=""):
            inherited = await sent(bus)
        with cqrs_context(tenant="", principal=""):
            nothing = await sent(bus)

    assert (inherited.tenant, inherited.correlation_id) == ("acme", "outer")
    assert (nothing.tenant, nothing.principal) == (None, None)


async def directly(bus: Any) -> Any:
    return await bus.queries.execute(Inner())


async def in_a_task(bus: Any) -> Any:
    return await asyncio.create_task(bus.queries.execute(Inner()))


async def in_a_task_group(bus: Any) -> Any:
    answers: list[Any] = []

    async def ask() -> None:
        answers.append(await bus.queries.execute(Inner()))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
    return answers[0]


async def from_a_thread(bus: Any) -> Any:
    return await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(bus.queries.execute, Inner()))


@pytest.mark.parametrize(
    "way", [directly, in_a_task, in_a_task_group, from_a_thread], ids=lambda way: way.__name__
)
async def test_children_inherit_it_across_tasks_and_threads(
    way: Any, compose_app: Any, heard: list[MessageContext]
) -> None:
    """Whatever way a handler sends a message, it runs for the same tenant and principal, and names its cause."""
    parents: list[MessageContext] = []

    async def send() -> Any:
        context = current_context()
        assert context is not None
        parents.append(context)
        return await way(app)

    app = compose_app(shop(heard, send))
    async with app as bus:
        with cqrs_context(tenant="acme", principal="ann", correlation_id="request 7"):
            child = await sent(bus)

    assert (child.tenant, child.principal, child.correlation_id) == ("acme", "ann", "request 7")
    assert child.causation_id == parents[0].message_id


async def test_within_a_handler_it_is_for_what_the_handler_sends(
    compose_app: Any, heard: list[MessageContext]
) -> None:
    """The handler's own dispatch stays what it is; its children keep it as their cause."""
    seen: list[MessageContext | None] = []

    async def send() -> Any:
        seen.append(current_context())
        with cqrs_context(principal="system"):
            seen.append(current_context())
            return await app.queries.execute(Inner())

    app = compose_app(shop(heard, send))
    async with app as bus:
        with cqrs_context(tenant="acme", principal="ann"):
            child = await sent(bus)

    own = seen[0]
    assert own is seen[1]
    assert own is not None
    assert (own.principal, child.principal, child.tenant) == ("ann", "system", "acme")
    assert child.causation_id == own.message_id
    assert child.correlation_id == own.correlation_id


async def test_siblings_do_not_see_each_others_edge(compose_app: Any, heard: list[MessageContext]) -> None:
    """Two requests side by side in one process keep their tenants apart."""
    async with compose_app(shop(heard)) as bus:

        async def request(tenant: str) -> None:
            with cqrs_context(tenant=tenant):
                for _ in range(3):
                    await asyncio.sleep(0)
                    assert (await sent(bus)).tenant == tenant

        await asyncio.gather(*(request(f"tenant {number}") for number in range(20)))


async def test_an_instrument_may_send_on_behalf_of_somebody(compose_app: Any) -> None:
    """An edge that an instrument opens around a handler does not make the handler run twice."""
    runs: list[int] = []

    class Acting(Instrument):
        def around(self, next: Next, _handler: HandlerInfo, /) -> Next:
            async def call(message: Any, /) -> Any:
                with cqrs_context(principal="instrument"):
                    return await next(message)

            return call

    feature = Feature("shop")

    @feature.handles(Outer)
    async def outer(_command: Outer) -> Result[Any, str]:
        runs.append(1)
        return Success(current_context())

    async with compose_app(feature, instruments=[Acting()]) as bus:
        context = await sent(bus)

    assert runs == [1]
    assert context.principal is None


def test_notes_are_kept_and_shown_read_only() -> None:
    """Whoever observes a dispatch reads what others noted, and cannot change it."""
    context = MessageContext().begin()

    context.note("swr.status", "fresh")
    context.note("swr.status", "stale")

    assert dict(context.notes) == {"swr.status": "stale"}
    with pytest.raises(TypeError):
        context.notes["swr.status"] = "miss"  # type: ignore[index]  # refused at run time too


def test_leaving_in_another_context_is_no_error() -> None:
    """A generator that is closed by the garbage collector leaves its edge where nothing was set."""

    def request() -> Any:
        with cqrs_context(tenant="acme"):
            yield

    generator = request()
    contextvars.copy_context().run(next, generator)
    generator.close()

    assert current_context() is None
