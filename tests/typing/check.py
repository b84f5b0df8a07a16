"""Compare mypy and pyright, both strict, with what this folder's files say must be refused, line by line.

A line that ends in ``# refused`` must get an error from both checkers, every other line from neither;
``# refused by pyright`` marks a line next to one that both refuse, where pyright tells the same mistake twice.
Exit status 1 lists the lines where one of them disagrees.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MYPY_LINE = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.*)$")


class Place(NamedTuple):
    """A line of a file."""

    file: str
    line: int


def main() -> int:
    """Run both checkers and print what differs."""
    files = sorted(HERE.glob("*.py"))
    found = {"mypy": _mypy(files), "pyright": _pyright(files)}
    expected = {checker: set(_marked(files, checker)) for checker in found}
    wrong = [line for checker, errors in found.items() for line in _differences(checker, expected[checker], errors)]
    count = len(expected["mypy"])
    print("\n".join(wrong) or f"mypy and pyright agree: {count} lines refused in {len(files)} files, no other.")
    return bool(wrong)


def _marked(files: Iterable[Path], checker: str) -> Iterable[Place]:
    for file in files:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if line.endswith(("# refused", f"# refused by {checker}")):
                yield Place(file.name, number)


def _differences(checker: str, expected: set[Place], errors: dict[Place, str]) -> Iterable[str]:
    for place in sorted(expected - errors.keys()):
        yield f"{checker} accepts tests/typing/{place.file}:{place.line}, which must be refused"
    for place in sorted(errors.keys() - expected):
        yield f"{checker} refuses tests/typing/{place.file}:{place.line}: {errors[place]}"


def _mypy(files: Iterable[Path]) -> dict[Place, str]:
    command = [sys.executable, "-m", "mypy", "--no-pretty", "--no-error-summary", "--config-file", "pyproject.toml"]
    done = subprocess.run([*command, *_relative(files)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"mypy failed: {done.stdout}{done.stderr}")
    matches = (MYPY_LINE.match(line) for line in done.stdout.splitlines())
    return {Place(Path(m["file"]).name, int(m["line"])): m["text"] for m in matches if m is not None}


def _pyright(files: Iterable[Path]) -> dict[Place, str]:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run([*command, *_relative(files)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"pyright failed: {done.stdout}{done.stderr}")
    errors = [e for e in json.loads(done.stdout)["generalDiagnostics"] if e["severity"] == "error"]
    return {Place(Path(e["file"]).name, e["range"]["start"]["line"] + 1): e["message"] for e in errors}


def _relative(files: Iterable[Path]) -> list[str]:
    return [str(file.relative_to(ROOT)) for file in files if file.name != Path(__file__).name]


if __name__ == "__main__":
    sys.exit(main())
