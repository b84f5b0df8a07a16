"""One app with ten different problems: everything that is wrong with it is one report."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

CODES = [
    "CQRS-001", "CQRS-002", "CQRS-003", "CQRS-004", "CQRS-005",
    "CQRS-006", "CQRS-007", "CQRS-008", "CQRS-009", "CQRS-013",
]  # fmt: skip

TEN = """
import attrs
import punq
from returns.result import Result, Success
from cqrs import Command, CqrsModule, Event, Feature, Query
from cqrs.plugins import Plugin


@attrs.frozen
class Place(Command[int, str]): ...
@attrs.frozen
class Cancel(Command[int, str]): ...
@attrs.frozen
class Reprice(Command[int, str]): ...
@attrs.frozen
class Restock(Command[int, str]): ...
@attrs.frozen
class Refund(Command[int, str]): ...
@attrs.frozen
class Rename(Command[int, str]): ...
@attrs.frozen
class Find(Query[int, str]): ...
@attrs.frozen
class Placed(Event): ...


class Missing: ...
class Twice: ...
class Hen:
    def __init__(self, egg: "Egg") -> None: ...
class Egg:
    def __init__(self, hen: Hen) -> None: ...


orders = Feature("orders")


@orders.handles(Place)
async def place(command: Place) -> Result[int, str]: return Success(1)
@orders.handles(Place)
async def place_again(command: Place) -> Result[int, str]: return Success(1)
@orders.handles(Cancel)
async def cancel(command: Cancel, *, missing: Missing) -> Result[int, str]: return Success(1)
@orders.handles(Reprice)
async def reprice(command: Reprice, *, twice: Twice) -> Result[int, str]: return Success(1)
@orders.handles(Restock)
async def restock(command: Restock, *, hen: Hen) -> Result[int, str]: return Success(1)
@orders.handles(Refund)
async def refund(command: Refund, nobody_knows) -> Result[int, str]: return Success(1)
@orders.handles(Rename)
def rename(command: Rename) -> Result[int, str]: return Success(1)
@orders.handles(Find)
async def find(query: Find) -> Result[int, str]: return Success(1)
@orders.handles(Missing)
async def wrong(message: Missing) -> Result[int, str]: return Success(1)
@orders.subscribes(Placed, name="mail")
async def mail(event: Placed) -> Result[None, str]: return Success(None)
@orders.subscribes(Placed, name="mail")
async def mail_again(event: Placed) -> Result[None, str]: return Success(None)


class Broken(Plugin):
    name = "broken"
    def configure(self, builder): raise OSError("no disk")


container = punq.Container()
container.register(Twice)
container.register(Twice, instance=Twice())
container.register(Hen)
container.register(Egg)
app = CqrsModule.for_root(
    orders, container=container, enable_query_bus=False, plugins=[Broken()], env={}, strict=True
)
"""


@pytest.fixture
def ten(project: Path) -> Path:
    """A module with an app that has ten different problems."""
    (project / "ten.py").write_text(TEN)
    return project


def line_of(code: str) -> int:
    """The line of the definition that a problem is about; the first line of the module is 1."""
    concerned = {
        "CQRS-001": "async def place_again", "CQRS-002": "async def cancel", "CQRS-003": "async def find",
        "CQRS-004": "async def reprice", "CQRS-005": "async def restock", "CQRS-006": "async def refund",
        "CQRS-007": "def rename", "CQRS-008": "async def wrong", "CQRS-009": "async def mail_again",
        "CQRS-013": "class Broken",
    }  # fmt: skip
    return next(n for n, line in enumerate(TEN.splitlines(), 1) if line.startswith(concerned[code]))


def places() -> dict[str, int]:
    """Each code with the line of its definition; a decorated function begins at its decorator."""
    return {code: line_of(code) - (code != "CQRS-013") for code in CODES}


def test_ten_problems_are_ten_lines(cqrs: Any, ten: Path) -> None:
    """The text has one line for each, with file and line, code, what is wrong and the fix; exit 1."""
    del ten
    run = cqrs("check", "ten:app")

    assert run.returncode == 1
    heading, *lines = run.stderr.splitlines()
    assert heading == "Error: 10 problems found while composing the app:"
    matched = [re.fullmatch(r"  ten\.py:(\d+): (CQRS-\d{3}) .+\. Fix: .+", line) for line in lines]
    assert {match[2]: int(match[1]) for match in matched if match} == places()
    assert len(lines) == 10


def test_ten_problems_are_ten_objects(cqrs: Any, ten: Path) -> None:
    """JSON has the same ten, each with file, line, code, text and fix; exit 1."""
    del ten
    run = cqrs("check", "ten:app", "--format", "json")

    assert run.returncode == 1
    problems = json.loads(run.stdout)["problems"]
    assert {problem["code"]: problem["line"] for problem in problems} == places()
    assert len(problems) == 10
    assert all(problem["file"] == "ten.py" and problem["text"] and problem["fix"] for problem in problems)


def test_ten_problems_are_ten_annotations(cqrs: Any, ten: Path) -> None:
    """A code review shows the same ten at their lines; exit 1."""
    del ten
    run = cqrs("check", "ten:app", "--format", "github")

    assert run.returncode == 1
    lines = run.stdout.splitlines()
    matched = [
        re.fullmatch(r"::error file=ten\.py,line=(\d+),title=(CQRS-\d{3})::.+ Fix: .+", line)
        for line in lines
    ]
    assert {match[2]: int(match[1]) for match in matched if match} == places()
    assert len(lines) == 10
