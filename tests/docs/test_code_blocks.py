"""Every code block of the documentation runs and prints what the page shows."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[[Path], list[object]]

FENCE = re.compile(r"^(`{3,})([^`\n]*)\n.*?^\1$", re.MULTILINE | re.DOTALL)
LANGUAGES = {"", "python", "output", "console", "toml", "mermaid", "text"}
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(240)  # a page may run whole suites of laws
def test_the_code_of_a_page_runs(page: Path, run_page: Run) -> None:
    """Its Python runs, and prints what is shown; its commands do; nothing of it is left behind."""
    run_page(page)


def test_every_fence_of_a_page_is_of_a_known_kind(page: Path) -> None:
    """A fence that is spelled differently (`py`, `python title=…`) would never be run."""
    assert {language for _, language in FENCE.findall(page.read_text())} <= LANGUAGES


def test_a_page_that_is_a_program_runs_as_one(page: Path, tmp_path: Path) -> None:
    """What stands under `if __name__ == "__main__"` works in an interpreter of its own, without a word on stderr."""
    source = "".join(PROGRAM.findall(page.read_text()))
    if '__name__ == "__main__"' not in source:
        return
    (tmp_path / "shop.py").write_text(source)

    ran = subprocess.run(
        [sys.executable, "shop.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=15
    )

    assert (ran.returncode, ran.stderr) == (0, "")


# --- each way to be wrong is noticed ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "noticed"),
    [
        ("```python\nraise ValueError('no')\n```\n", "no"),
        ("```python\nprint(1)\n```\n\n```output\n2\n```\n", "1"),
        ("```console\n$ cqrs check nowhere:app\nnowhere:app: ok\n```\n", "cannot import 'nowhere'"),
        ("```python\nimport os\nos.environ['A_B'] = '1'\n```\n", "left changed: environment"),
        ("```python\nimport os\nos.chdir('/')\n```\n", "left changed: directory"),
        ("```python\nimport sys\nsys.path.append('here')\n```\n", "left changed: path"),
        ("```python\nimport logging\nlogging.getLogger('cqrs').setLevel(50)\n```\n", "left changed: loggers"),
    ],
    ids=["raises", "prints", "command", "environment", "directory", "path", "logging"],
)
def test_a_page_that_is_wrong_fails(text: str, noticed: str, run_page: Run, tmp_path: Path) -> None:
    """A block that raises, shows what is not printed, or leaves something changed fails its page."""
    (tmp_path / "wrong.md").write_text(text)

    with pytest.raises((AssertionError, ValueError), match=noticed):
        run_page(tmp_path / "wrong.md")


def test_an_error_names_the_line_of_the_page(run_page: Run, tmp_path: Path) -> None:
    """Who broke a page finds the block."""
    (tmp_path / "wrong.md").write_text("# A page\n\n```python\n1 / 0\n```\n")

    with pytest.raises(ZeroDivisionError) as raised:
        run_page(tmp_path / "wrong.md")

    assert raised.value.__notes__ == [f"{tmp_path / 'wrong.md'}:3"]


def test_blocks_of_a_page_are_one_file(run_page: Run, tmp_path: Path) -> None:
    """A later block uses what an earlier one defined, and lines are counted on."""
    (tmp_path / "two.md").write_text(
        "```python\ndef first(): ...\n```\n\n```python\ndef second(): ...\nprint(second.__code__.co_firstlineno, first)\n```\n"
    )

    assert [block.text[:2] for block in run_page(tmp_path / "two.md")] == ["", "2 "]


def test_nothing_of_a_page_is_importable_afterwards(run_page: Run, tmp_path: Path) -> None:
    """The next page begins with an empty `shop.py`."""
    (tmp_path / "one.md").write_text("```python\nleft = 1\n```\n")

    run_page(tmp_path / "one.md")

    assert "shop" not in sys.modules


def test_what_a_page_leaves_changed_is_put_back(run_page: Run, tmp_path: Path) -> None:
    """One page that is wrong is one failure, not a failure of every test after it."""
    change = "import logging, os, sys\nos.environ['A_B'] = '1'\nlogging.getLogger('cqrs').setLevel(50)\nos.chdir('/')"
    (tmp_path / "wrong.md").write_text(f"```python\n{change}\nsys.path.append('here')\n```\n")
    before = Path.cwd(), list(sys.path)

    with pytest.raises(AssertionError, match="left changed"):
        run_page(tmp_path / "wrong.md")

    assert (Path.cwd(), list(sys.path)) == before
    assert "A_B" not in os.environ
    assert logging.getLogger("cqrs").level == logging.NOTSET
