"""The pins are complete and name no place, and the check of that notices each way to break it."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


def load_check() -> ModuleType:
    """Import the script by its path: it belongs to no package."""
    spec = importlib.util.spec_from_file_location("check_pins", ROOT / "requirements" / "check_pins.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_pins = load_check()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of everything that the check reads."""
    for path in [
        *ROOT.glob("requirements/*"),
        ROOT / "pyproject.toml",
        *ROOT.glob("plugins/*/pyproject.toml"),
    ]:
        if path.is_file():
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return tmp_path


def replace(path: Path, old: str, new: str) -> None:
    """Change a file, and be sure that it changed."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_pins_are_in_order(repository: Path) -> None:
    """Nothing is wrong with the repository as it is."""
    assert check_pins.problems(repository) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url pypi.example.org",
        "--extra-index-url=pypi.example.org",
        "-i somewhere",
        "-f wheels",
        "--find-links wheels",
        "--trusted-host pypi.example.org",
        "thing @ https://example.org/thing",
        "./wheels/thing-1.0-py3-none-any.whl",
    ],
)
@pytest.mark.parametrize("name", ["dev.in", "dev.txt", "core.txt"])
def test_a_place_to_fetch_from_is_found(repository: Path, name: str, line: str) -> None:
    """No file of requirements names a host, an index or a folder of wheels."""
    path = repository / "requirements" / name
    path.write_text(f"{path.read_text()}{line}\n" if name.endswith(".txt") else f"{line}\n")

    assert any(f"requirements/{name}:" in problem for problem in places(repository))


def places(repository: Path) -> list[str]:
    """The problems that are about a place."""
    return list(check_pins._places(repository / "requirements"))


def test_a_requirement_without_pin_is_found(repository: Path) -> None:
    """What a `.in` file asks for is in its `.txt`."""
    path = repository / "requirements" / "dev.in"
    path.write_text(f"{path.read_text()}left-pad\n")

    assert check_pins.problems(repository) == ["requirements/dev: left-pad is not pinned: run `./dev lock`"]


def test_a_pin_outside_the_range_is_found(repository: Path) -> None:
    """A pin is in the range that was asked for."""
    replace(repository / "requirements" / "core.in", "anyio>=4.16", "anyio>=99")

    assert "requirements/core: anyio>=99 is pinned to" in "\n".join(check_pins.problems(repository))


def test_a_declared_dependency_without_pin_is_found(repository: Path) -> None:
    """What a distribution declares is pinned, as the packages are installed without looking at it."""
    replace(repository / "pyproject.toml", '"anyio>=4.16",', '"anyio>=4.16", "left-pad",')

    assert check_pins.problems(repository) == ["pyproject.toml: left-pad is not pinned: run `./dev lock`"]


def test_a_pin_without_hash_is_found(repository: Path) -> None:
    """Every pinned package has hashes."""
    path = repository / "requirements" / "dev.txt"
    path.write_text(f"{path.read_text()}left-pad==1.0\n")

    assert check_pins.problems(repository) == ["requirements/dev.txt: left-pad has no hash: run `./dev lock`"]


def test_pins_that_disagree_are_found(repository: Path) -> None:
    """The two environments hold the same versions."""
    path = repository / "requirements" / "core.txt"
    line = next(line for line in path.read_text().splitlines() if line.startswith("anyio=="))
    replace(path, line, "anyio==4.99.0 \\")

    assert "anyio is pinned to another version than in dev.txt" in "\n".join(check_pins.problems(repository))


def test_a_missing_lock_is_found(repository: Path) -> None:
    """Every `.in` has its `.txt`."""
    (repository / "requirements" / "docs.in").write_text("mkdocs\n")

    assert check_pins.problems(repository) == ["requirements/docs.in has no docs.txt: run `./dev lock`"]


@pytest.mark.parametrize("name", ["uv.lock", "pylock.toml"])
def test_a_lock_that_names_hosts_is_found(repository: Path, name: str) -> None:
    """No other lock file lies beside the pins."""
    (repository / name).touch()

    assert check_pins.problems(repository) == [
        f"{name} names hosts: remove it, the pins are requirements/*.txt"
    ]
