"""Environments are made once, remade when what they are made from changes, and repaired after any interruption."""

import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
# For a child that shares a busy machine, in seconds.
PATIENCE = 45

# A build back end with nothing but the standard library: what is tested here is not hatchling.
BACKEND = """
import base64, hashlib, os, pathlib, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    info = "toy-1.0.dist-info"
    files = {
        "toy.pth": os.getcwd(),
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: toy\\nVersion: 1.0\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: toy\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / "toy-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return "toy-1.0-py3-none-any.whl"

build_wheel = build_editable
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "toy"\nversion = "1.0"\n'


def load() -> ModuleType:
    """Import the script by its path: it belongs to no package."""
    spec = importlib.util.spec_from_file_location("install", ROOT / "requirements" / "install.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


install = load()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with no requirement and one package, on a path with a space."""
    root = tmp_path / "a clone"
    (root / "requirements").mkdir(parents=True)
    (root / "requirements" / "dev.txt").write_text("# nothing\n")
    (root / "requirements" / "core.txt").write_text("# nothing\n")
    (root / "requirements" / "install.py").write_text((ROOT / "requirements" / "install.py").read_text())
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "backend.py").write_text(BACKEND)
    (root / "toy.py").write_text("word = 'works'\n")
    return root


# --- what is done again, and when: the steps are recorded, not taken --------------------------------


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were asked for; making an environment leaves an interpreter there."""
    taken: list[str] = []

    def record(command: Sequence[str], environment: Any, _lock: int) -> None:
        if "venv" in command:
            environment.python.parent.mkdir(parents=True, exist_ok=True)
            environment.python.touch()
        taken.append(
            next(step for step in ("venv", "--require-hashes", "--no-build-isolation") if step in command)
        )

    monkeypatch.setattr(install, "_run", record)
    return taken


ANEW = ["venv", "--require-hashes", "--no-build-isolation"]


def bring(root: Path, name: str = "dev") -> None:
    """One call."""
    install.bring_up_to_date(install.environments(root)[name])


def test_the_first_call_installs_and_the_second_does_nothing(root: Path, steps: list[str]) -> None:
    """Nothing is done twice."""
    bring(root)
    assert steps == ANEW

    bring(root)
    assert steps == ANEW


def test_changed_pins_make_the_environment_anew(root: Path, steps: list[str]) -> None:
    """What was removed from the pins is gone, as the environment starts empty."""
    bring(root)
    (root / "requirements" / "dev.txt").write_text("# something\n")
    bring(root)

    assert steps == [*ANEW, *ANEW]


def test_a_changed_project_file_installs_the_packages_only(root: Path, steps: list[str]) -> None:
    """The pinned packages stay when only entry points or dependencies of our own were edited."""
    bring(root)
    (root / "pyproject.toml").write_text(f"{PROJECT}description = 'new'\n")
    bring(root)

    assert steps == [*ANEW, "--no-build-isolation"]


def test_a_new_plugin_is_installed(root: Path, steps: list[str]) -> None:
    """A folder with a project file below `plugins/` is a package of the environment."""
    bring(root)
    (root / "plugins" / "new").mkdir(parents=True)
    (root / "plugins" / "new" / "pyproject.toml").write_text(PROJECT)
    bring(root)

    assert steps == [*ANEW, "--no-build-isolation"]
    assert install.environments(root)["dev"].packages == (".", "plugins/new")


def test_an_edited_source_installs_nothing(root: Path, steps: list[str]) -> None:
    """The packages are editable."""
    bring(root)
    (root / "toy.py").write_text("word = 'new'\n")
    bring(root)

    assert steps == ANEW


def test_another_interpreter_makes_the_environment_anew(
    root: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment belongs to the interpreter that made it."""
    bring(root)
    monkeypatch.setattr(sys, "version", "3.13.9 of tomorrow")
    bring(root)

    assert steps == [*ANEW, *ANEW]


def test_a_moved_repository_makes_the_environment_anew(root: Path, steps: list[str]) -> None:
    """Scripts in an environment name its folder."""
    bring(root)
    bring(root.rename(root.with_name("moved")))

    assert steps == [*ANEW, *ANEW]


@pytest.mark.parametrize("missing", [".stamp-pins", "bin/python"])
def test_an_unfinished_environment_is_made_anew(root: Path, steps: list[str], missing: str) -> None:
    """What was interrupted, or half deleted, is not trusted."""
    bring(root)
    (root / ".venv" / missing).unlink()
    bring(root)

    assert steps == [*ANEW, *ANEW]


def test_an_environment_in_the_making_is_empty_and_not_trusted(
    root: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first step on nothing says that the old environment is good: a kill at any moment is noticed."""
    bring(root)
    (root / "requirements" / "dev.txt").write_text("# something\n")
    record = install._run
    seen: dict[str, list[str]] = {}

    def look(command: Sequence[str], environment: Any, lock: int) -> None:
        record(command, environment, lock)
        seen[steps[-1]] = [*(path.name for path in environment.path.glob(".stamp*")), *command]

    monkeypatch.setattr(install, "_run", look)
    bring(root)

    assert "--clear" in seen["venv"]
    assert not {".stamp-pins", ".stamp-packages"} & {*seen["venv"], *seen["--require-hashes"]}
    assert ".stamp-packages" not in seen["--no-build-isolation"]


@pytest.mark.parametrize("broken", ANEW)
def test_a_step_that_failed_is_taken_again(
    root: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """After a failure at any step the next call does whatever is left to do."""
    record = install._run

    def fail(command: Sequence[str], environment: Any, lock: int) -> None:
        record(command, environment, lock)
        if steps[-1] == broken:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(install, "_run", fail)
    with pytest.raises(subprocess.CalledProcessError):
        bring(root)
    monkeypatch.setattr(install, "_run", record)
    steps.clear()
    bring(root)

    assert steps == (["--no-build-isolation"] if broken == "--no-build-isolation" else ANEW)


def test_the_core_environment_holds_the_core_alone(root: Path) -> None:
    """No plugin is installed where the core is tested alone."""
    (root / "plugins" / "new").mkdir(parents=True)
    (root / "plugins" / "new" / "pyproject.toml").write_text(PROJECT)

    core = install.environments(root)["core"]

    assert (core.folder, core.pins, core.packages) == (".venv-core", "requirements/core.txt", (".",))


def test_each_python_has_a_core_environment_of_its_own(root: Path) -> None:
    """The cores of several versions lie side by side: none is thrown away for another."""
    version = "core-{}.{}".format(*sys.version_info)

    own = install.environments(root)[version]

    assert (own.folder, own.pins, own.packages) == (f".venv-{version}", "requirements/core.txt", (".",))


def test_the_environments_do_not_wait_for_one_another(root: Path, steps: list[str]) -> None:
    """The core's environment can be made while the other one is in the making."""
    with install._locked(install.environments(root)["dev"]):
        bring(root, "core")

    assert steps == ANEW


# --- for real: processes, locks and signals --------------------------------------------------------


def call(root: Path, *command: str) -> "subprocess.Popen[str]":
    """Start one call, as `dev` does; HOME is a folder that cannot be written."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(root / "requirements" / "install.py"), "dev", "--", *command],
        env={**variables, "PATH": os.defpath, "HOME": "/proc/none"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def slow_step(root: Path) -> Iterator[Path]:
    """Make the last step wait for as long as a file is there."""
    gate = root / "gate"
    gate.touch()
    wait = f"import pathlib, time\nwhile pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
    (root / "backend.py").write_text(
        f"pathlib_started = open({str(root / 'started')!r}, 'w').close()\n{wait}{BACKEND}"
    )
    yield gate
    gate.unlink(missing_ok=True)


def wait_for(path: Path) -> None:
    """Wait until a process has come as far as writing a file."""
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} never came"
        time.sleep(0.01)


def test_two_calls_at_once_install_once(root: Path, slow_step: Path) -> None:
    """The second waits for the first, says so, and finds everything there."""
    command = [str(root / ".venv/bin/python"), "-c", "import toy; print(toy.word)"]
    first = call(root, *command)
    wait_for(root / "started")
    second = call(root, *command)
    assert second.stderr
    waiting = second.stderr.readline()
    slow_step.unlink()

    assert waiting == "dev: another call is installing .venv; waiting for it\n"
    assert [run.communicate(timeout=PATIENCE)[0] for run in (first, second)] == ["works\n", "works\n"]
    third = call(root, *command)
    assert third.communicate(timeout=PATIENCE) == ("works\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_call_stops_its_step_and_is_repaired(root: Path, slow_step: Path, number: int) -> None:
    """Nothing of it goes on in the background, no traceback is shown, and the next call installs."""
    run = call(root, "true")
    wait_for(root / "started")
    run.send_signal(number)
    _, said = run.communicate(timeout=PATIENCE)

    assert run.returncode == 128 + number
    assert "Traceback" not in said
    assert "the next call starts the installation again" in said
    assert lock_is_free(root)
    slow_step.unlink()
    again = call(root, str(root / ".venv/bin/python"), "-c", "import toy; print(toy.word)")
    assert again.communicate(timeout=PATIENCE)[0] == "works\n"


def test_a_killed_call_is_repaired(root: Path, slow_step: Path) -> None:
    """`kill -9` leaves a step behind; the next call waits until it is gone and starts over."""
    run = call(root, "true")
    wait_for(root / "started")
    run.kill()
    assert run.wait(timeout=PATIENCE) == -signal.SIGKILL
    for stream in (run.stdout, run.stderr):
        assert stream
        stream.close()

    assert not lock_is_free(root)
    again = call(root, str(root / ".venv/bin/python"), "-c", "import toy; print(toy.word)")
    slow_step.unlink()
    assert again.communicate(timeout=PATIENCE)[0] == "works\n"


def lock_is_free(root: Path) -> bool:
    """Whether nobody is installing."""
    with (root / ".venv.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_command_that_is_not_there_is_said(root: Path) -> None:
    """No traceback; status 127, as a shell has it."""
    run = call(root, "no-such-command")
    _, said = run.communicate(timeout=PATIENCE)

    assert run.returncode == 127
    assert said.splitlines()[-1] == "dev: cannot run no-such-command: No such file or directory"


def test_a_failing_step_is_named(root: Path) -> None:
    """What pip says is shown, and one line says what was asked of it."""
    (root / "backend.py").write_text("raise ValueError('broken back end')\n")
    run = call(root, "true")
    _, said = run.communicate(timeout=PATIENCE)

    assert run.returncode == 1
    assert "broken back end" in said
    last = said.splitlines()[-1]
    assert last.startswith("dev: `-m pip install")
    assert last.endswith("failed, its reason is above; mend that and call again")


def test_a_folder_that_cannot_be_written_is_said(root: Path) -> None:
    """No traceback."""
    (root / ".venv.lock").mkdir()
    run = call(root, "true")
    _, said = run.communicate(timeout=PATIENCE)

    assert run.returncode == 1
    assert said.startswith("dev: cannot write the environment: ")
    assert said.count("\n") == 1


def test_pip_settings_that_mislead_are_left_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where packages come from is the machine's to say, where they go to is not."""
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_RETRIES", "7")
    seen = root / "seen"
    environment = install.environments(root)["dev"]
    code = f"import os; open({str(seen)!r}, 'w').write(f'{{os.environ.get(\"PIP_TARGET\")}} {{os.environ[\"PIP_RETRIES\"]}}')"
    with install._locked(environment) as lock:
        install._run([sys.executable, "-c", code], environment, lock)

    assert seen.read_text() == "None 7"
