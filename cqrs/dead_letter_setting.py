"""Where an app keeps its dead letters: what it was given, what the environment names, what a plugin brings, or memory."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from returns.result import Failure, Result, Success

from cqrs.dead_letter import DeadLetterQueue, MemoryDeadLetterQueue
from cqrs.messages import Event
from cqrs.problems import Code, Problem, name_of, place_of

if TYPE_CHECKING:
    from cqrs.dead_letter_store import SqliteDeadLetterQueue

VARIABLE: Final = "CQRS_DEAD_LETTERS"

_SCHEME: Final = "sqlite:"


def named(env: Mapping[str, str]) -> "Result[SqliteDeadLetterQueue | None, Problem]":
    """Give the store that the environment names; None if it names none.

    Args:
        env: the environment.
    """
    value = env.get(VARIABLE, "").strip()
    path = value[len(_SCHEME) :].strip()
    if not value:
        return Success(None)
    if not value.lower().startswith(_SCHEME) or not path:
        return Failure(
            Problem(
                Code.BAD_SETTING,
                f"{VARIABLE}={value!r} names no store of dead letters.",
                f"name a file: {VARIABLE}=sqlite:/var/lib/shop/dead-letters.db",
            )
        )
    from cqrs.dead_letter_store import (
        SqliteDeadLetterQueue,
    )  # an app that keeps them in memory loads no SQLite

    return Success(SqliteDeadLetterQueue(Path(path)))


def chosen(
    given: DeadLetterQueue | None,
    env: Mapping[str, str],
    brought: Iterable[DeadLetterQueue],
    memory: DeadLetterQueue,
) -> Result[DeadLetterQueue, Problem]:
    """Choose where dead letters are kept.

    Args:
        given: what ``for_root`` was given.
        env: the environment.
        brought: what plugins bring; the first counts.
        memory: the app's own.
    """
    if given is not None:
        return Success(given)
    return named(env).map(lambda store: store or next(iter(brought), memory))


def unstorable_events(queue: DeadLetterQueue, events: Iterable[type[Event]]) -> Iterator[Problem]:
    """Find events that a subscriber hears and that could not be parked in a file.

    Args:
        queue: where dead letters are kept; one in memory keeps every event.
        events: the event classes that subscribers name.
    """
    if isinstance(queue, MemoryDeadLetterQueue):
        return
    from cqrs.dead_letter_store import SqliteDeadLetterQueue
    from cqrs.event_json import unstorable

    if not isinstance(queue, SqliteDeadLetterQueue):
        return
    for event in dict.fromkeys(events):
        # A class that others derive from may never be published itself.
        reason = "" if event is Event or event.__subclasses__() else unstorable(event)
        if reason:
            yield Problem(
                Code.DEAD_LETTER_STORE,
                f"{name_of(event)} could not be parked in {queue.path}: {reason}.",
                "make it an attrs class or a dataclass whose fields have types that can be written as JSON.",
                place_of(event),
            )


def not_opened(reason: object) -> Problem:
    """Say that the store cannot be opened.

    Args:
        reason: what it answered.
    """
    return Problem(
        Code.DEAD_LETTER_STORE,
        f"the dead letters cannot be opened: {reason}.",
        f"mend what it names, or name another file: {VARIABLE}=sqlite:PATH",
    )
