from pathlib import Path
from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import CompositionError, Event, Feature
from cqrs.dead_letter import MemoryDeadLetterQueue
from cqrs.dead_letter_setting import chosen, named, not_opened, unstorable_events
from cqrs.dead_letter_store import SqliteDeadLetterQueue
from cqrs.plugins import Plugin, PluginBuilder
from cqrs.problems import Code, place_of


@attrs.frozen
class Placed(Event):
    """An event that can be stored."""


class Opaque(Event):
    """An event that cannot."""


class Based(Opaque):
    """An event that derives from it."""


async def bad(_event: Event) -> Result[None, str]:
    return Failure("no")


@pytest.mark.parametrize("value", ["sqlite:a/b.db", " sqlite:a/b.db ", "SQLITE:a/b.db", "sqlite: a/b.db"])
def test_the_environment_names_a_file(value: str) -> None:
    """Case of the scheme and blanks around it do not matter."""
    store = named({"CQRS_DEAD_LETTERS": value}).unwrap()

    assert store is not None
    assert store.path == Path("a/b.db")


@pytest.mark.parametrize("value", ["", "  ", None])
def test_a_blank_names_nothing(value: str | None) -> None:
    """Blank is as good as not set."""
    assert named({} if value is None else {"CQRS_DEAD_LETTERS": value}) == Success(None)


@pytest.mark.parametrize("value", ["letters.db", "redis:letters", "sqlite", "sqlite:", "sqlite:  "])
def test_anything_else_is_a_problem(value: str) -> None:
    """The problem quotes the value and shows what would do."""
    problem = named({"CQRS_DEAD_LETTERS": value}).failure()

    assert problem.code is Code.BAD_SETTING
    assert repr(value.strip()) in problem.text
    assert "sqlite:/" in problem.fix


def test_what_is_given_wins_then_the_environment_then_plugins_then_memory() -> None:
    """Each is asked only if there is none before it."""
    given, brought, memory = (MemoryDeadLetterQueue() for _ in range(3))
    env = {"CQRS_DEAD_LETTERS": "sqlite:letters.db"}

    assert chosen(given, env, [brought], memory) == Success(given)
    assert isinstance(chosen(None, env, [brought], memory).unwrap(), SqliteDeadLetterQueue)
    assert chosen(None, {}, [brought], memory) == Success(brought)
    assert chosen(None, {}, [], memory) == Success(memory)


def test_events_that_a_file_cannot_hold_are_problems() -> None:
    """In memory every event has a place, in a file those that can be written; a base class may never be published."""
    store = SqliteDeadLetterQueue("letters.db")

    assert list(unstorable_events(MemoryDeadLetterQueue(), [Based])) == []
    (problem,) = unstorable_events(store, [Placed, Opaque, Based, Event])
    assert problem.code is Code.DEAD_LETTER_STORE
    assert "Based" in problem.text
    assert problem.place == place_of(Based)


def test_a_store_that_cannot_be_opened_is_a_problem() -> None:
    """Its reason stands in it."""
    assert "a directory" in not_opened("a directory").text


async def test_an_app_keeps_letters_where_the_environment_says(compose_app: Any, tmp_path: Path) -> None:
    """What fails in one run of an app is there in the next one."""
    feature = Feature("orders")
    feature.subscribes(Placed, name="send")(bad)
    env = {"CQRS_DEAD_LETTERS": f"sqlite:{tmp_path}/letters.db"}
    for count in (1, 2):
        app = compose_app(feature, env=env)
        async with app as bus:
            assert (await bus.events.publish(Placed())).deliveries[0].dead_lettered
            assert (await app.dead_letters.queue.count()).unwrap() == count


@pytest.mark.parametrize("value", ["nowhere", "sqlite:{}"])
async def test_an_app_does_not_start_without_the_store_that_it_was_told(
    compose_app: Any, tmp_path: Path, value: str
) -> None:
    """A wrong value, or a folder in place of the file, keeps it from starting; nothing is left in memory instead."""
    with pytest.raises(CompositionError, match=r"CQRS_DEAD_LETTERS|cannot be opened"):
        await compose_app(env={"CQRS_DEAD_LETTERS": value.format(tmp_path)}).__aenter__()


async def test_an_app_refuses_events_that_its_store_cannot_hold(compose_app: Any, tmp_path: Path) -> None:
    """That an event cannot be parked is known when the app starts, not when it fails."""
    feature = Feature("orders")
    feature.subscribes(Based)(bad)

    with pytest.raises(CompositionError, match="CQRS-042"):
        await compose_app(feature, dead_letters=SqliteDeadLetterQueue(tmp_path / "letters.db")).__aenter__()


async def test_a_plugin_may_bring_a_queue(compose_app: Any) -> None:
    """It is used where neither the app nor the environment names one."""
    queue = MemoryDeadLetterQueue()

    class Bringing(Plugin):
        name = "bringing"

        def configure(self, builder: PluginBuilder, /) -> Result[None, Any]:
            builder.dead_letters(queue)
            return Success(None)

    feature = Feature("orders")
    feature.subscribes(Placed, name="send")(bad)
    async with compose_app(feature, plugins=[Bringing()]) as bus:
        await bus.events.publish(Placed())

    assert (await queue.count()).unwrap() == 1
