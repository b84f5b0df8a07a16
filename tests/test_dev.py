"""`./dev`: which interpreter it takes, what it says when there is none, and what it hands on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]

# Says that it fits, and otherwise what it was asked to run.
FITS = 'if [ "$2" = -c ]; then echo fits; else for word; do echo "<$word>"; done; fi'
SHIM = 'echo "shim: command not found" >&2; exit 127'
SILENT = "exit 0"
# The real check of a version that is not installed here.
PRETENDS = f"exec '{sys.executable}' -I -c 'import sys; {{0}}; exec(sys.argv[1])' \"$3\""
OLD = PRETENDS.format("sys.version_info = (3, 9, 18)")
NEW = PRETENDS.format("sys.version_info = (3, 14, 0)")
BARE = PRETENDS.format('sys.modules["ensurepip"] = None')


class Bench:
    """A copy of `dev` on a path with a space, and folders of pythons to find on PATH."""

    def __init__(self, folder: Path, shell: str) -> None:
        self.root = folder / "a clone"
        self.shell = shutil.which(shell) or shell
        self.bins = [folder / "first bin", folder / "second"]
        for place in [*self.bins, self.root / "requirements", folder / "tools"]:
            place.mkdir(parents=True)
        for tool in ("dirname", "sh", "env"):
            (folder / "tools" / tool).symlink_to(shutil.which(tool) or tool)
        self.path = os.pathsep.join(str(place) for place in [*self.bins, folder / "tools"])
        shutil.copy(ROOT / "dev", self.root)
        shutil.copy(ROOT / "justfile", self.root)

    def python(self, name: str, script: str, *, place: int = 0, folder: Path | None = None) -> Path:
        """Put an interpreter somewhere."""
        path = (folder or self.bins[place]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def dev(
        self, *words: str, cwd: Path | None = None, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Call it with no variable but PATH and those given: HOME is unset."""
        return subprocess.run(
            [self.shell, str(self.root / "dev"), *words],
            cwd=cwd or self.root,
            env={"PATH": self.path, **variables},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(params=SHELLS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """The bench under every shell that this machine has."""
    return Bench(tmp_path, request.param)


def took(run: "subprocess.CompletedProcess[str]") -> list[str]:
    """What the interpreter was asked to run."""
    assert run.returncode == 0, run.stderr
    return [line.strip("<>") for line in run.stdout.splitlines()]


def named(bench: Bench, name: str, place: int = 0) -> str:
    """A script that says its own place, besides what it was asked."""
    return f'if [ "$2" = -c ]; then echo fits; else echo "{bench.bins[place] / name}"; fi'


def test_the_newest_that_runs_is_taken(bench: Bench) -> None:
    """A shim with nothing behind it is passed over, and of what runs the newest wins."""
    bench.python("python3.13", SHIM)
    bench.python("python3.12", named(bench, "python3.12"))
    bench.python("python3.11", named(bench, "python3.11"))

    assert took(bench.dev("test")) == [str(bench.bins[0] / "python3.12")]


def test_of_all_that_run_the_newest_is_taken(bench: Bench) -> None:
    """The order of PATH says nothing about versions."""
    for place, name in enumerate(["python3.12", "python3.13"]):
        bench.python(name, named(bench, name, place), place=place)

    assert took(bench.dev("test")) == [str(bench.bins[1] / "python3.13")]


def test_a_shim_does_not_hide_the_real_one(bench: Bench) -> None:
    """Every place on PATH is looked at, not only the first."""
    bench.python("python3.11", SHIM)
    bench.python("python3.11", named(bench, "python3.11", 1), place=1)

    assert took(bench.dev("test")) == [str(bench.bins[1] / "python3.11")]


@pytest.mark.parametrize("script", [SILENT, SHIM, OLD, NEW, BARE])
def test_plain_python3_is_the_last_choice(bench: Bench, script: str) -> None:
    """An interpreter that cannot be used, for whatever reason, is passed over."""
    bench.python("python3.12", script)
    bench.python("python3", named(bench, "python3"))

    assert took(bench.dev("test")) == [str(bench.bins[0] / "python3")]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (SHIM, "python3 (does not run)"),
        (SILENT, "python3 (does not run)"),
        (OLD, "python3 (3.9 is too old)"),
        (NEW, "python3 (3.14 is too new)"),
        (BARE, f"python3 ({sys.version_info[0]}.{sys.version_info[1]} has no venv, pip or ssl module)"),
    ],
)
def test_an_unusable_python_is_explained(bench: Bench, script: str, reason: str) -> None:
    """One line says what to install, what was found and what is wrong with it."""
    bench.python("python3", script)

    run = bench.dev("test")

    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "install Python 3.11, 3.12 or 3.13" in run.stderr
    assert reason in run.stderr


def test_no_python_at_all_is_said(bench: Bench) -> None:
    """The same line if there is nothing to look at."""
    run = bench.dev("test")

    assert run.returncode == 1
    assert run.stderr.endswith("Looked at: nothing named python3 on PATH\n")


def test_python_variable_chooses(bench: Bench, tmp_path: Path) -> None:
    """`PYTHON=` wins over everything on PATH and over the environment that is there."""
    bench.python("python3.13", SILENT)
    bench.python("python", SILENT, folder=bench.root / ".venv" / "bin")
    mine = bench.python("mine", FITS, folder=tmp_path / "my own")

    assert took(bench.dev("test", PYTHON=str(mine)))[0] == "-I"


def test_python_variable_may_be_a_name(bench: Bench) -> None:
    """A name is looked up on PATH."""
    bench.python("python3.12", FITS)

    assert took(bench.dev("test", PYTHON="python3.12"))[0] == "-I"


@pytest.mark.parametrize(("value", "reason"), [("python9", "not found"), ("python3.9", "3.9 is too old")])
def test_a_wrong_python_variable_is_named(bench: Bench, value: str, reason: str) -> None:
    """What was asked for is not replaced by something else in silence."""
    bench.python("python3.9", OLD)
    bench.python("python3.12", FITS)

    run = bench.dev("test", PYTHON=value)

    assert run.returncode == 1
    assert f"PYTHON={value} ({reason})" in run.stderr


def test_the_environment_keeps_its_python(bench: Bench) -> None:
    """A newer Python that appears on PATH does not throw the environment away."""
    own = bench.python("python", FITS, folder=bench.root / ".venv" / "bin")
    bench.python("python3.13", SILENT)

    assert took(bench.dev("test"))[0] == "-I", own


def test_an_environment_that_does_not_run_is_replaced(bench: Bench) -> None:
    """When the Python of the environment was removed, another one is found."""
    bench.python("python", SHIM, folder=bench.root / ".venv" / "bin")
    bench.python("python3.11", FITS)

    assert took(bench.dev("test"))[0] == "-I"


def test_words_arrive_as_they_were_typed(bench: Bench, tmp_path: Path) -> None:
    """From any directory: the root is found, and arguments with spaces and stars stay whole."""
    bench.python("python3.11", FITS)
    root = str(bench.root)

    words = took(bench.dev("test", "-k", "a b", "*", "$HOME", cwd=tmp_path))

    assert words == [
        *("-I", "-S", f"{root}/requirements/install.py", "dev", "--", f"{root}/.venv/bin/just"),
        *("--justfile", f"{root}/justfile", "--working-directory", root, "test", "-k", "a b", "*", "$HOME"),
    ]


def test_variables_that_mislead_are_left_out(bench: Bench, tmp_path: Path) -> None:
    """CDPATH does not lead to another clone, PYTHONPATH and PYTHONHOME not to another library."""
    bench.python(
        "python3.11",
        'if [ "$2" = -c ]; then echo fits; else echo "$3 ${PYTHONPATH-none} ${PYTHONHOME-none}"; fi',
    )
    (tmp_path / "other" / "a clone").mkdir(parents=True)
    bench.root.joinpath("dev").chmod(0o755)

    run = subprocess.run(
        [bench.shell, "a clone/dev", "test"],
        cwd=tmp_path,
        env={"PATH": bench.path, "CDPATH": str(tmp_path / "other"), "PYTHONPATH": "x", "PYTHONHOME": "y"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert took(run) == [f"{bench.root}/requirements/install.py none none"]


@pytest.mark.parametrize("words", [(), ("help",), ("--help",), ("-h",)])
def test_without_a_verb_it_lists_them(bench: Bench, words: tuple[str, ...]) -> None:
    """The list needs no Python and no environment, and says what each verb is for."""
    run = bench.dev(*words)

    listed = [line.split(maxsplit=1) for line in run.stdout.splitlines() if line.startswith("  ")]
    assert run.returncode == 0
    assert [verb for verb, _ in listed] == verbs()
    assert all(len(rest.split("  ", maxsplit=1)[-1]) > len("a word") for _, rest in listed)


def verbs() -> list[str]:
    """The verbs of the justfile, in its order."""
    lines = (ROOT / "justfile").read_text().splitlines()
    return [
        line.split(":")[0].split()[0]
        for line in lines
        if line[:1].islower() and ":=" not in line and ":" in line
    ]


def test_the_verbs_are_those_that_are_promised() -> None:
    """Every verb is there, and no other."""
    promised = "setup check types test test-core matrix props mutants faults-heavy demo replay kills contract oldest-engine shots charts bench lock docs wheel all"

    assert verbs() == promised.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_dev_is_plain_shell(shell: str) -> None:
    """Every shell of the machine can parse it."""
    run = subprocess.run([shell, "-n", str(ROOT / "dev")], capture_output=True, text=True, check=False)

    assert (run.returncode, run.stderr) == (0, "")
