"""Each guarantee names the laws that hold it, and there are such laws."""

import re
from pathlib import Path

import pytest

from cqrs import testing

PAGE = Path(__file__).parent.parent.parent / "docs/explanation/guarantees.md"
NUMBERED = re.compile(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", re.MULTILINE | re.DOTALL)
LAW = re.compile(r"`([A-Z_]+_LAWS)\.(\w+)`")

GUARANTEES = {int(number): text for number, text in NUMBERED.findall(PAGE.read_text())}


def test_guarantees_are_numbered_without_a_gap() -> None:
    """Others refer to them by number."""
    assert list(GUARANTEES) == list(range(1, len(GUARANTEES) + 1))
    assert len(GUARANTEES) >= 14


@pytest.mark.parametrize("number", GUARANTEES)
def test_a_guarantee_names_laws_that_exist(number: int) -> None:
    """At least one, by the name of its suite and its own."""
    named = LAW.findall(GUARANTEES[number].partition("Law:")[2])

    assert named
    for suite, law in named:
        assert law in {each.name for each in getattr(testing, suite)}
