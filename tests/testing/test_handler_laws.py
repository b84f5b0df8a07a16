"""The laws of a handler, each with one handler that keeps it and one that breaks it."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

import anyio
import attrs
import pytest
from hypothesis import Phase, settings
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Event, Feature, Query
from cqrs.testing import HANDLER_LAWS, HandlerSubject, LawBroken, check_law, laws_for

QUICK = settings(max_examples=30, derandomize=True, database=None, phases=[Phase.generate])
LAWS = {law.name: law for law in HANDLER_LAWS}


@attrs.frozen
class Put(Command[int, str]):
    """Puts a number twice, with a pause between."""

    number: int


@attrs.frozen
class Ask(Query[int, str]):
    """Asks for a number."""

    number: int


@attrs.frozen
class Happened(Event):
    """Something happened."""

    number: int


class Forgetful:
    """Forgot its base class."""


Store = list[int]
Handle = Callable[[Any, Store], Any]
tenant: ContextVar[int] = ContextVar("tenant", default=0)
kept: list[TextIO] = []
tasks: set[Any] = set()


def subject(handle: Handle, message: type = Put, **declared: bool) -> HandlerSubject:
    stores: dict[int, Store] = {}

    def compose() -> Any:
        store: Store = []
        feature = Feature("store")

        async def handler(each: Any) -> Result[int, str]:
            return await handle(each, store)  # type: ignore[no-any-return]  # what the test says

        register = feature.subscribes if issubclass(message, Event) else feature.handles
        register(message)(handler)
        app = CqrsModule.for_root(feature, plugins=(), env={})
        stores[id(app)] = store
        return app

    return HandlerSubject(message, compose, state=lambda app: tuple(stores[id(app)]), **declared)


async def good(message: Any, store: Store) -> Result[int, str]:
    await anyio.lowlevel.checkpoint()
    if message.number not in store:
        store.append(message.number)
    return Success(message.number) if message.number < 9 else Failure("too many")


async def raising(message: Any, _store: Store) -> Result[int, str]:
    return Success(1 // (message.number - 0))


async def returning_a_number(message: Any, _store: Store) -> Any:
    return message.number


async def answering_a_text(message: Any, _store: Store) -> Any:
    return Success(str(message.number))


async def failing_with_a_number(message: Any, _store: Store) -> Any:
    return Failure(message.number)


calls = iter(range(10**9))


async def counting(_message: Any, _store: Store) -> Result[int, str]:
    return Success(next(calls))


async def appending(message: Any, store: Store) -> Result[int, str]:
    store.append(message.number)
    return Success(1)


async def half(message: Any, store: Store) -> Result[int, str]:
    store.append(message.number)
    await anyio.lowlevel.checkpoint()
    store.append(message.number)
    return Success(2)


async def swallowing(message: Any, store: Store) -> Result[int, str]:
    try:
        await anyio.lowlevel.checkpoint()
    except anyio.get_cancelled_exc_class():
        return Failure("cancelled")
    return await good(message, store)


async def shielded(message: Any, store: Store) -> Result[int, str]:
    with anyio.CancelScope(shield=True):
        store.append(message.number)
        await anyio.lowlevel.checkpoint()
        store.append(message.number)
    return Success(2)


async def leaking_a_task(_message: Any, _store: Store) -> Result[int, str]:
    tasks.add(asyncio.get_running_loop().create_task(asyncio.sleep(60)))
    return Success(1)


async def leaking_a_variable(message: Any, _store: Store) -> Result[int, str]:
    tenant.set(message.number)
    return Success(1)


async def leaking_a_file(_message: Any, _store: Store) -> Result[int, str]:
    kept.append(Path(__file__).open())  # noqa: ASYNC230, SIM115 - left open on purpose
    return Success(1)


@pytest.fixture(autouse=True)
def _closed() -> Any:
    """What leaks on purpose ends with its test."""
    yield
    while kept:
        kept.pop().close()


def check(law: str, handler: HandlerSubject, **options: Any) -> None:
    check_law(LAWS[law], handler, settings=QUICK, **options)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("message", [Put, Ask, Happened])
@pytest.mark.parametrize("law", LAWS)
def test_a_good_handler_keeps_every_law(law: str, message: type, backend: str) -> None:
    """A command, a query and a subscriber, on both event loops."""
    check(law, subject(good, message, deterministic=True, idempotent=True), backend=backend)


@pytest.mark.parametrize(
    ("law", "handle", "told"),
    [
        ("never_raises", raising, "ZeroDivisionError"),
        ("never_raises", returning_a_number, "returned='int'"),
        ("answers_as_declared", answering_a_text, "declared is <class 'int'>"),
        ("answers_as_declared", failing_with_a_number, "declared is <class 'str'>"),
        ("is_deterministic", counting, "then"),
        ("is_idempotent", appending, r"after the first \(0,\), after the second \(0, 0\)"),
        ("cancellation_leaves_no_half_state", half, "for time 1: .0,. is neither"),
        ("cancellation_leaves_no_half_state", swallowing, "instead of passing the cancellation on"),
        ("leaks_nothing", leaking_a_task, "tasks left running"),
        ("leaks_nothing", leaking_a_variable, "context variables that it set for its caller: tenant"),
        ("leaks_nothing", leaking_a_file, "1 more open files"),
    ],
)
def test_a_bad_handler_breaks_its_law(law: str, handle: Handle, told: str) -> None:
    """The text says what was seen instead."""
    with pytest.raises(LawBroken, match=told):
        check(law, subject(handle, deterministic=True, idempotent=True))


def test_a_handler_that_finishes_under_a_shield_is_good() -> None:
    """A state as after a whole run is as good as one as before it."""
    check("cancellation_leaves_no_half_state", subject(shielded))


def test_a_message_that_nobody_handles_is_told() -> None:
    """The app of compose() lacks the feature."""
    nobody = HandlerSubject(Put, lambda: CqrsModule.for_root(plugins=(), env={}))

    with pytest.raises(LawBroken, match="HandlerNotFound"):
        check("never_raises", nobody)


def test_a_subject_that_is_no_message_is_told() -> None:
    """A class of another kind is misuse, not a broken law."""
    with pytest.raises(TypeError, match="Forgetful is no Command, Query or Event"):
        check("never_raises", HandlerSubject(Forgetful, lambda: CqrsModule.for_root(plugins=(), env={})))


def test_only_what_is_declared_is_claimed() -> None:
    """A handler that is neither deterministic nor idempotent has four laws."""
    made = laws_for("TestPut", HANDLER_LAWS, subject=subject(counting))

    assert not any(hasattr(made, name) for name in ("test_is_deterministic", "test_is_idempotent"))


def test_idempotent_needs_a_state() -> None:
    """Otherwise the law would compare nothing with nothing."""
    with pytest.raises(ValueError, match="idempotent=True needs state="):
        HandlerSubject(Put, lambda: CqrsModule.for_root(plugins=(), env={}), idempotent=True)
