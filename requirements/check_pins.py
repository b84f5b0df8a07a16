"""Checks that the pins are complete, agree with what is asked for, and name no place to fetch from.

Prints one line for each problem and exits 1 if there is one.
"""

import itertools
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Where packages come from is the machine's to say: a file that names a host works in one place only.
PLACE = re.compile(
    r"://|--(extra-)?index-url|--find-links|--trusted-host|^-[if]\b|\.(whl|tar\.gz)\b", re.MULTILINE
)
PINNED = re.compile(r"==(?P<version>[^\s;\\]+)")
# Both formats write the host of each file down.
LOCKS_THAT_NAME_HOSTS = ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock")


def problems(root: Path) -> list[str]:
    """Everything that is wrong with the pins of a repository.

    Args:
        root: The repository.

    Returns:
        One sentence per problem, each naming its file.
    """
    folder = root / "requirements"
    found = [*_places(folder), *_foreign_locks(root)]
    pins = {path.stem: _pins(path) for path in sorted(folder.glob("*.txt"))}
    for name in sorted(path.stem for path in folder.glob("*.in")):
        if name not in pins:
            found.append(f"requirements/{name}.in has no {name}.txt: run `./dev lock`")
        else:
            found += _unpinned(_requested(folder / f"{name}.in"), pins[name], f"requirements/{name}")
    for name, lines in pins.items():
        found += _without_hash(lines, f"requirements/{name}.txt")
    found += _disagreeing(pins.get("core", {}), pins.get("dev", {}))
    for project in [root / "pyproject.toml", *sorted(root.glob("plugins/*/pyproject.toml"))]:
        found += _unpinned(_declared(project), pins.get("dev", {}), str(project.relative_to(root)))
    return found


def _places(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.in")) + sorted(folder.glob("*.txt")):
        for match in PLACE.finditer(path.read_text()):
            line = path.read_text().count("\n", 0, match.start()) + 1
            yield f"requirements/{path.name}:{line} names a place to fetch from: {match.group()!r}"


def _foreign_locks(root: Path) -> Iterator[str]:
    for name in LOCKS_THAT_NAME_HOSTS:
        if (root / name).exists():
            yield f"{name} names hosts: remove it, the pins are requirements/*.txt"


def _pins(path: Path) -> dict[str, str]:
    """The logical line of each requirement, by normalised name."""
    logical = path.read_text().replace("\\\n", " ").splitlines()
    lines = [line for line in logical if line.strip() and not line.lstrip().startswith(("#", "-"))]
    return {canonicalize_name(re.split(r"[=\s\[;<>~!]", line, maxsplit=1)[0]): line for line in lines}


def _requested(path: Path) -> Iterator[Requirement]:
    for line in path.read_text().splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("-r "):
            yield from _requested(path.parent / text.removeprefix("-r ").strip())
        elif text:
            yield Requirement(text)


def _declared(project: Path) -> Iterator[Requirement]:
    """What a distribution and its extras ask for, the packages of this repository left out."""
    metadata = tomllib.loads(project.read_text())
    extras = metadata["project"].get("optional-dependencies", {}).values()
    groups = [metadata["build-system"]["requires"], metadata["project"].get("dependencies", []), *extras]
    for text in itertools.chain.from_iterable(groups):
        requirement = Requirement(text)
        if not canonicalize_name(requirement.name).startswith("returns-cqrs"):
            yield requirement


def _unpinned(requested: Iterable[Requirement], pins: dict[str, str], where: str) -> Iterator[str]:
    for requirement in requested:
        line = pins.get(canonicalize_name(requirement.name))
        pinned = PINNED.search(line or "")
        if line is None or pinned is None:
            yield f"{where}: {requirement.name} is not pinned: run `./dev lock`"
        elif not requirement.specifier.contains(pinned["version"], prereleases=True):
            yield f"{where}: {requirement} is pinned to {pinned['version']}: run `./dev lock`"


def _without_hash(pins: dict[str, str], where: str) -> Iterator[str]:
    for name, line in pins.items():
        if "--hash=sha256:" not in line:
            yield f"{where}: {name} has no hash: run `./dev lock`"


def _disagreeing(core: dict[str, str], dev: dict[str, str]) -> Iterator[str]:
    for name in core.keys() - dev.keys():
        yield f"requirements/core.txt: {name} is not in dev.txt: run `./dev lock`"
    for name in sorted(core.keys() & dev.keys()):
        if (
            core[name].split(";")[0].split("--hash")[0].strip()
            != dev[name].split(";")[0].split("--hash")[0].strip()
        ):
            yield f"requirements/core.txt: {name} is pinned to another version than in dev.txt: run `./dev lock`"


if __name__ == "__main__":
    complaints = problems(Path(__file__).resolve().parent.parent)
    print("\n".join(complaints) or "pins: complete, hashed, and naming no place")
    sys.exit(bool(complaints))
