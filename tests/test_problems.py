import functools
import os
import sqlite3
from pathlib import Path
from types import FunctionType

import pytest

from cqrs.problems import Code, CompositionError, Problem, name_of, place_of, place_of_call, same_definition

HERE = f"{Path('tests') / Path(__file__).name}"


class Marker:
    """Something with a place in this file."""

    def method(self) -> None:
        """Do nothing."""


def decorated(function: object) -> object:
    @functools.wraps(function)  # type: ignore[arg-type]  # the wrong type is the point
    def wrapper() -> None: ...

    return wrapper


def plain() -> None: ...


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(text))


def test_codes_are_stable_and_distinct() -> None:
    """A code is CQRS- and three digits, and no two kinds share one."""
    codes = [code.value for code in Code.__members__.values()]

    assert len(set(codes)) == len(Code.__members__)
    assert all(code.startswith("CQRS-") and code[5:].isdigit() and len(code) == 8 for code in codes)


def test_a_problem_is_one_line_with_place_code_text_and_fix() -> None:
    """A problem's text names the place first, so that editors and terminals can follow it."""
    problem = Problem(Code.NOT_ASYNC, "f is not async.", "write async def.", "shop.py:3")

    assert str(problem) == "shop.py:3: CQRS-007 f is not async. Fix: write async def."
    assert str(Problem(Code.BAD_SETTING, "X is bad.", "mend it.")) == "CQRS-020 X is bad. Fix: mend it."


@pytest.mark.parametrize(("count", "heading"), [(1, "1 problem found"), (2, "2 problems found")])
def test_a_composition_error_counts_and_lists_its_problems(count: int, heading: str) -> None:
    """The error of a refused start says how many problems there are and lists each on a line."""
    problem = Problem(Code.MISSING_DEPENDENCY, "nothing.", "register it.")

    error = CompositionError([problem] * count)

    assert error.problems == (problem,) * count
    assert str(error).splitlines() == [f"{heading} while composing the app:", *[f"  {problem}"] * count]


@pytest.mark.parametrize(
    ("definition", "line"),
    [
        (plain, "def plain("),
        (Marker, "class Marker"),
        (Marker().method, "    def method("),
        (decorated(plain), "def plain("),
    ],
    ids=["function", "class", "bound method", "decorated function"],
)
def test_a_definition_has_a_place(
    definition: object, line: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """The place of a function, class or method is the line of its own definition, not of a decorator's wrapper."""
    monkeypatch.chdir(pytestconfig.rootpath)

    assert place_of(definition) == f"{HERE}:{line_of(line)}"


@pytest.mark.parametrize("definition", [sqlite3.Connection, len, 3, None], ids=repr)
def test_what_has_no_source_has_no_place(definition: object) -> None:
    """Built-ins and plain values have an empty place, and asking for it is no error."""
    assert place_of(definition) == ""


def test_a_place_elsewhere_is_given_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file outside of the current directory, or a directory that is gone, leaves the path as it is."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert place_of(plain).startswith(str(Path(__file__)))
    os.chdir(tmp_path)
    assert place_of(plain).startswith(str(Path(__file__)))


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        (plain, "plain"),
        (Marker, "Marker"),
        (Marker(), "Marker"),
        (Marker().method, "Marker.method"),
    ],
    ids=["function", "class", "instance", "method"],
)
def test_a_name_is_dotted(definition: object, name: str) -> None:
    """Functions, classes and methods go by their own name, other objects by their type's."""
    assert name_of(definition) == f"{__name__}.{name}"


def declares() -> str:
    return place_of_call()


def test_the_place_of_a_call_is_that_of_the_caller() -> None:
    """A function that declares something says where it was called, not where it stands."""
    place = declares()

    assert place == f"{HERE}:{line_of('    place = declares()')}"


def test_one_definition_is_told_from_another() -> None:
    """By module, name, file and line, and only what has a name of its own in its module: no instance, method, closure."""
    anew = FunctionType(plain.__code__, plain.__globals__)
    anew.__qualname__ = plain.__qualname__
    moved = FunctionType(plain.__code__.replace(co_firstlineno=1), plain.__globals__)

    def made(number: int) -> object:
        return lambda: number

    assert same_definition(plain, plain)
    assert same_definition(plain, anew)
    assert same_definition(decorated(plain), decorated(anew))
    assert same_definition(Marker, Marker)
    for other in (moved, decorated(anew), Marker, Marker(), line_of, None):
        assert not same_definition(plain, other)
    assert not same_definition(made(1), made(2))
    assert not same_definition(Marker(), Marker())
    assert not same_definition(Marker().method, Marker().method)
