"""All tests of the repository run when they run side by side."""

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def side_by_side() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("side_by_side", ROOT / "tests/side_by_side.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_path_is_left_out_and_none_runs_twice(side_by_side: ModuleType) -> None:
    """The lanes are the testpaths of pytest's settings, each once; what one leaves out is another's."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    paths = settings["tool"]["pytest"]["ini_options"]["testpaths"]

    words = [word for lane in side_by_side.lanes() for word in lane]
    apart = [word.removeprefix("--ignore=") for word in words if word.startswith("--ignore=")]
    assert sorted(words) == sorted([*paths, *apart, *(f"--ignore={path}" for path in apart)])


def test_a_path_that_is_not_tested_is_refused(
    side_by_side: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt path would be a lane without tests."""
    monkeypatch.setattr(side_by_side, "LANES", (("tests", "plugin/openobserve"),))
    with pytest.raises(ValueError, match=r"not among the testpaths of pyproject\.toml: plugin/openobserve"):
        list(side_by_side.lanes())

    monkeypatch.setattr(side_by_side, "LANES", (("tests", "--ignore=tests/docs"),))
    with pytest.raises(ValueError, match=r"not among the testpaths of pyproject\.toml: tests/docs"):
        list(side_by_side.lanes())


@pytest.mark.parametrize("fails", [False, True])
def test_one_lane_that_fails_fails_the_whole(
    side_by_side: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    fails: bool,
) -> None:
    """What each process printed is shown, and the lane that failed is named."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\ntestpaths = ["one", "two", "three"]\n'
    )
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        body = f"assert {not (fails and name == 'three')}"
        (tmp_path / name / f"test_{name}.py").write_text(f"def test_{name}():\n    {body}\n")
    monkeypatch.setattr(side_by_side, "ROOT", tmp_path)
    monkeypatch.setattr(side_by_side, "LANES", (("one",), ("two",)))

    assert side_by_side.main() == int(fails)
    printed = capfd.readouterr().out
    assert printed.count("1 passed") == 3 - fails
    assert ("failed: three" in printed) is fails
