"""The core is tested on every Python that it says it runs on, where that is on PATH."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent

# What an interpreter does here: says its version when it is probed, and otherwise what it was asked to run.
FITS = 'if [ "$2" = -c ]; then echo {version}; else echo "$0 $*"; exit {status}; fi'
SHIM = 'echo "shim: command not found" >&2; exit 127'


@pytest.fixture
def matrix() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("matrix", ROOT / "tests/matrix.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def python(folder: Path, version: str, script: str) -> Path:
    path = folder / f"python{version}"
    folder.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_versions_are_those_that_the_package_names(matrix: ModuleType) -> None:
    """A version that is added to the classifiers is tested without being named a second time."""
    assert list(matrix.supported()) == ["3.11", "3.12", "3.13"]


def test_the_python_that_runs_this_is_found(matrix: ModuleType) -> None:
    """The probe is answered by a real interpreter."""
    version = "{}.{}".format(*sys.version_info)

    assert matrix.find(version, str(Path(sys.executable).parent))


@pytest.mark.parametrize(
    "wrong", [SHIM, "exit 0", FITS.format(version="3.11", status=0)], ids=["shim", "silent", "other version"]
)
def test_what_is_not_that_version_is_passed_over(matrix: ModuleType, tmp_path: Path, wrong: str) -> None:
    """A name on PATH proves nothing: the first that runs and says the version is taken, and none if none does."""
    python(tmp_path / "first", "3.12", wrong)
    right = python(tmp_path / "second", "3.12", FITS.format(version="3.12", status=0))

    assert matrix.find("3.12", f"{tmp_path / 'first'}::{tmp_path / 'second'}") == str(right)
    assert matrix.find("3.12", str(tmp_path / "first")) == ""


@pytest.mark.parametrize("status", [0, 1])
def test_each_python_that_is_there_runs_the_tests(
    matrix: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    status: int,
) -> None:
    """In an environment named after it, with pytest's arguments; one that fails fails the whole, one that is absent is said."""
    good = python(tmp_path / "bin", "3.12", FITS.format(version="3.12", status=0))
    other = python(tmp_path / "bin", "3.13", FITS.format(version="3.13", status=status))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    assert matrix.main(["tests/faults", "-k", "e7 or e8"]) == status

    printed = capfd.readouterr().out
    for path, version in ((good, "3.12"), (other, "3.13")):
        assert (
            f"{path} -I requirements/install.py core-{version} -- .venv-core-{version}/bin/pytest" in printed
        )
    assert printed.count("tests/faults -k e7 or e8\n") == 2
    assert printed.endswith(
        "Python 3.11: not found on PATH\nPython 3.12: passed\n"
        f"Python 3.13: {'failed (1)' if status else 'passed'}\n"
    )


def test_no_python_at_all_is_no_success(
    matrix: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where nothing was tested nothing has passed."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert matrix.main([]) == 1
