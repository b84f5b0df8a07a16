import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import anyio
import pytest
from returns.result import Success

from cqrs.context import Emit, MessageContext
from cqrs.message_scope import Attempt, Recipe, Scoped, opens, ready


class Pool:
    """A pool: it is entered, and it hands out what is acquired and released."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None: ...

    def acquire(self) -> None:
        """Take one."""

    def release(self) -> None:
        """Give it back."""


class Session:
    """A plain object."""


@asynccontextmanager
async def session() -> AsyncGenerator[Session]:
    yield Session()


@contextmanager
def blocking_session() -> Generator[Session]:
    yield Session()


async def handle(message: object, *, dsn: str, session: Session) -> Any:
    return Success((message, dsn, session))


class Handler:
    """A class handler."""

    def __init__(self, dsn: str, session: Session) -> None:
        self.dsn, self.session = dsn, session

    async def __call__(self, message: object) -> Any:
        """Answer with what it has."""
        return Success((message, self.dsn, self.session))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (session(), True),
        (Pool(), True),
        (Session(), False),
        (asyncio.Lock(), False),
        (asyncio.Semaphore(), False),
        (anyio.Lock(), False),
        (anyio.CapacityLimiter(1), False),
        (blocking_session(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_an_async_context_manager_is_entered_but_no_lock(made: object, expected: bool) -> None:  # noqa: FBT001 - a table
    """A pool that can also be acquired from is opened; a lock is handed out as it is, not taken for the app's life."""
    assert opens(made) is expected


@pytest.mark.parametrize("target", [handle, Handler])
async def test_a_handler_gets_what_is_constant_and_what_lives_for_its_message(target: Any) -> None:
    """Functions and classes alike: the class is made for the attempt."""
    scoped = Scoped(Recipe(target, {"dsn": "db"}, {"session": Session}), (), emits=False)
    attempt = Attempt(None, None)
    attempt.values[Session] = one = Session()

    assert await scoped.start("message", attempt) == Success(("message", "db", one))


def test_an_attempt_begins_with_what_the_core_gives() -> None:
    """Emit and MessageContext are among the values before anything is made."""
    context = MessageContext().begin()

    attempt = Attempt(None, context)

    assert attempt.values == {Emit: None, MessageContext: context}
    assert attempt.stage == "dependency"


def test_what_is_not_ready_is_refused_with_what_to_write() -> None:
    """A coroutine, a generator or a blocking context manager in place of a service would fail far from its cause."""

    async def awaited() -> Session:
        return Session()

    async def generated() -> AsyncGenerator[Session]:
        yield Session()

    for made in (awaited(), generated(), blocking_session()):
        with pytest.raises(TypeError, match="@asynccontextmanager"):
            ready(made)
    one = Session()
    assert ready(one) is one
