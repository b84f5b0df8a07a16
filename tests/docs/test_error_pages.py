"""Each code of a problem has a page, and the page's code provokes that problem."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cqrs.problems import Code

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "docs/reference/errors"

CODE = re.compile(r"\bCQRS-\d{3}\b")

# The problems that no line of the user's code has.
NOWHERE = {Code.FOREIGN_PACKAGE, Code.BAD_SETTING, Code.MISSING_SETTING}

each_code = pytest.mark.parametrize("code", list(Code))


def page_of(code: str) -> Path:
    return FOLDER / f"{code}.md"


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    """A report's code can be looked up, and no page explains what cannot happen."""
    assert {path.stem for path in FOLDER.glob("*.md")} - {"index"} == set(Code)


@each_code
def test_a_problem_says_where_it_is(code: Code) -> None:
    """Whatever has a definition is told with file and line; a variable and an installed distribution have none."""
    shown = re.findall(rf"^(.*){code} ", page_of(code).read_text(), re.MULTILINE)

    assert shown
    placed = [re.search(r"\S+\.\w+:\d+: $", before) is not None for before in shown]
    assert placed == [code not in NOWHERE] * len(shown)


@each_code
def test_the_first_block_of_a_page_gives_its_code(
    code: Code, run_page: Callable[[Path], list[object]]
) -> None:
    """The code comes from the report, not from the block's own text, and nothing else is wrong."""
    provoking = run_page(page_of(code))[0]

    assert set(CODE.findall(provoking.text)) == {code}
    assert not CODE.search(provoking.source)


@each_code
def test_what_a_page_mends_is_mended(code: Code, run_page: Callable[[Path], list[object]]) -> None:
    """After the first block no problem is left."""
    assert not [block.text for block in run_page(page_of(code))[1:] if CODE.search(block.text)]


@each_code
def test_a_page_says_what_to_do(code: Code) -> None:
    """A title with the code, what it means, when it is found, how to mend it."""
    title, meaning, *rest = page_of(code).read_text().split("\n\n")

    assert re.fullmatch(rf"# {code}: .+[^.]", title)
    assert meaning.endswith(".")
    assert "It is found when" in "".join(rest) or "cannot find this problem" in "".join(rest)
    assert "## Mend it" in rest


@each_code
def test_a_page_shows_the_report(code: Code) -> None:
    """The report stands on the page below the block that gets it."""
    _, _, shown = page_of(code).read_text().partition("```python")

    assert re.search(rf"^(```output|\$ cqrs check).*?{code}", shown, re.MULTILINE | re.DOTALL)
