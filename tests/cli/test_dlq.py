"""`cqrs dlq`; the whole story, across processes that are killed, is a test of the example."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from cqrs import Event
from cqrs.dead_letter import DeadLetter, ErrorRecord, StoredEvent
from cqrs.dead_letter_store import SqliteDeadLetterQueue

SHOP = """
from pathlib import Path
import attrs
from returns.result import Failure, Result, Success
from cqrs import CqrsModule, Event, Feature, type_id


@type_id("shop.Placed")
@attrs.frozen
class Placed(Event):
    order: int
    token: str = "canary-18ab"


orders = Feature("orders")


@orders.subscribes(Placed, name="send", sequence=lambda event: event.order % 2)
async def send(event: Placed) -> Result[None, str]:
    if Path("down").exists():
        return Failure("the server said password=canary-18ab")
    Path("sent").write_text(str(event.order))
    return Success(None)


app = CqrsModule.for_root(orders, plugins=())
"""


@attrs.frozen
class Placed(Event):
    """An event."""

    order: int


@pytest.fixture
def store(project: Path) -> Path:
    """Two letters in a file."""
    (project / "mail.py").write_text(SHOP)
    error = ErrorRecord(
        "builtins.OSError", "the server said password=canary-18ab", "Traceback …\ntoken=canary-18ab"
    )
    letters = [
        DeadLetter(
            StoredEvent(json.dumps({"order": number, "token": "canary-18ab"})),
            "shop.Placed",
            "send",
            str(number),
            error,
            3,
            number * 10**9,
            number * 10**9,
            id=f"{number:032x}",
        )
        for number in (1, 2)
    ]

    async def park() -> None:
        queue = SqliteDeadLetterQueue(project / "letters.db")
        await queue.open()
        for letter in letters:
            await queue.park(letter)
        await queue.close()

    anyio.run(park)
    return project / "letters.db"


@pytest.fixture
def dlq(cqrs: Any, store: Path) -> Any:
    """Run `cqrs dlq` on the file."""
    return lambda *arguments, **env: cqrs("dlq", *arguments, CQRS_DEAD_LETTERS=f"sqlite:{store}", **env)


def test_letters_are_listed(dlq: Any) -> None:
    """One line per letter, or JSON; a filter leaves the others out; nothing secret is printed."""
    text, as_json, one = (
        dlq("list", "mail:app"),
        dlq("list", "mail:app", "--json"),
        dlq("list", "mail:app", "--sequence", "2"),
    )

    assert text.returncode == 0
    assert len(text.stdout.splitlines()) == 2
    assert "shop.Placed → send  sequence 1  attempts 3  builtins.OSError" in text.stdout
    assert "2 dead letters" in text.stderr
    assert [letter["sequence"] for letter in json.loads(as_json.stdout)] == ["1", "2"]
    assert f"{2:032x}" in one.stdout
    assert f"{1:032x}" not in one.stdout
    assert "canary" not in text.stdout + as_json.stdout


def test_a_letter_is_shown_without_its_secrets(dlq: Any) -> None:
    """Event, error and traceback are there, what is called a token or password is masked."""
    text, as_json = (
        dlq("show", f"{1:032x}", "mail:app"),
        dlq("show", f"{1:032x}", "--app", "mail:app", "--json"),
    )

    assert "Traceback" in text.stdout
    assert "1970-01-01T00:00:01.000+00:00" in text.stdout
    assert json.loads(as_json.stdout)["event"] == {"order": 1, "token": "********"}
    assert "canary" not in text.stdout + as_json.stdout


def test_a_letter_that_is_not_there_is_said(dlq: Any) -> None:
    """No traceback, exit 1, and the id."""
    shown = dlq("show", "nobody", "mail:app")

    assert shown.returncode == 1
    assert "LetterNotFound(id='nobody')" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_replay_says_what_stays_parked(dlq: Any, project: Path) -> None:
    """Exit 1 with the reason while the subscriber fails, 0 once everything was delivered."""
    (project / "down").touch()
    failed = dlq("replay", "mail:app", "--id", f"{1:032x}", "--json")
    (project / "down").unlink()
    replayed = dlq("replay", CQRS_APP="mail:app")

    assert failed.returncode == 1
    assert list(json.loads(failed.stdout)["parked"]) == [f"{1:032x}"]
    assert "canary" not in failed.stdout
    assert (replayed.returncode, replayed.stdout.count("delivered")) == (0, 2)
    assert (project / "sent").read_text() == "2"
    assert dlq("list", "mail:app").stdout == ""


def test_a_replay_of_what_is_not_there_or_not_first_fails(dlq: Any, project: Path) -> None:
    """Exit 1, and the reason: no such letter, or what it waits behind."""
    behind = DeadLetter(StoredEvent('{"order": 3}'), "shop.Placed", "send", "1", id=f"{3:032x}")

    async def park() -> None:
        queue = SqliteDeadLetterQueue(project / "letters.db")
        await queue.open()
        await queue.park(behind)
        await queue.close()

    anyio.run(park)
    unknown, waiting = (dlq("replay", "mail:app", "--id", each) for each in ("nobody", behind.id))

    assert unknown.returncode == waiting.returncode == 1
    assert "there is no such dead letter: nobody" in unknown.stderr
    assert f"parked     {behind.id}  it waits behind dead letter {1:032x}" in waiting.stdout
    assert not (project / "sent").exists()


def test_purging_needs_to_be_told_what(dlq: Any) -> None:
    """Nothing is thrown away by a command that does not say which letters; --all is said aloud."""
    nothing, both = dlq("purge", "mail:app"), dlq("purge", "mail:app", "--all", "--sequence", "1")
    one, rest = dlq("purge", "mail:app", "--sequence", "1"), dlq("purge", "mail:app", "--all", "--json")

    assert (nothing.returncode, both.returncode) == (2, 2)
    assert "say which letters" in nothing.stderr
    assert one.stdout == "1 purged\n"
    assert json.loads(rest.stdout) == {"purged": 1}


@pytest.mark.usefixtures("store")
def test_an_app_that_keeps_them_in_memory_has_nothing_to_show(cqrs: Any) -> None:
    """The command says where they would be seen."""
    for command in (["list"], ["replay"], ["purge", "--all"]):
        run = cqrs("dlq", *command, "--app", "mail:app")
        assert run.returncode == 1
        assert "CQRS_DEAD_LETTERS=sqlite:PATH" in run.stderr


def test_a_wrong_setting_or_file_is_said(cqrs: Any, dlq: Any, store: Path) -> None:
    """What is wrong stands on one line, with the fix or the reason."""
    wrong = cqrs("dlq", "list", "mail:app", CQRS_DEAD_LETTERS="redis:x")
    with closing(sqlite3.connect(store)) as other:
        other.execute("PRAGMA user_version = 99")
        other.commit()
    later = dlq("list", "mail:app")

    assert "CQRS-020" in wrong.stderr
    assert "of version 99" in later.stderr
    assert "Traceback" not in wrong.stderr + later.stderr


def test_an_app_that_cannot_start_replays_nothing(dlq: Any, project: Path) -> None:
    """Its problems are listed, and the letters stay."""
    (project / "mail.py").write_text(SHOP.replace("plugins=()", "plugins=(), enable_event_bus=False"))
    run = dlq("replay", "mail:app")

    assert run.returncode == 1
    assert "CQRS-003" in run.stderr
    assert len(dlq("list", "mail:app").stdout.splitlines()) == 2
