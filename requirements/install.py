"""`install.py NAME [-- COMMAND...]`: makes environment NAME equal to its pins if it is not, then becomes COMMAND.

Standard library only: it runs before anything is installed, on any Python that `dev` accepts.
"""

import contextlib
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

# They would send the packages somewhere else than into the environment. Everything else of pip's
# configuration (where packages come from, certificates, proxies) is the machine's to say.
MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONHOME", "PYTHONPATH")


class Environment(NamedTuple):
    """A virtual environment, the pins it is made from and the packages of this repository in it.

    Attributes:
        root: The repository.
        folder: The environment, relative to the root.
        pins: The hash-pinned requirements, relative to the root.
        packages: Folders of the packages installed in editable form, relative to the root.
    """

    root: Path
    folder: str
    pins: str
    packages: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where the environment is."""
        return self.root / self.folder

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.path / "bin" / "python"


def main(arguments: Sequence[str], root: Path) -> None:
    """Bring the named environment up to date, then replace this process by the command.

    Args:
        arguments: `NAME [-- COMMAND...]`.
        root: The repository.
    """
    name, command = arguments[0], list(arguments[2:])
    signal.signal(signal.SIGTERM, _stop)
    try:
        bring_up_to_date(environments(root)[name])
    except KeyboardInterrupt:
        _leave(130, "interrupted; the next call starts the installation again")
    except subprocess.CalledProcessError as failed:
        _leave(1, f"`{_spoken(failed.cmd)}` failed, its reason is above; mend that and call again")
    except OSError as error:
        _leave(1, f"cannot write the environment: {error}")
    if not command:
        return
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command is the caller's own
    except OSError as error:
        _leave(127, f"cannot run {command[0]}: {error.strerror}")


def environments(root: Path) -> dict[str, Environment]:
    """Every environment that a verb may ask for, by name; one is named after the Python that runs this."""
    each = "core-{}.{}".format(*sys.version_info)
    plugins = sorted(str(path.parent.relative_to(root)) for path in root.glob("plugins/*/pyproject.toml"))
    return {
        "dev": Environment(root, ".venv", "requirements/dev.txt", (".", *plugins)),
        "core": Environment(root, ".venv-core", "requirements/core.txt", (".",)),
        each: Environment(root, f".venv-{each}", "requirements/core.txt", (".",)),
        "wheel": Environment(root, ".venv-wheel", "requirements/dev.txt", ()),
    }


def bring_up_to_date(environment: Environment) -> None:
    """Install what changed since the last call; return at once if nothing did."""
    if _is_current(environment):
        return
    with _locked(environment) as lock:
        if not _is_current(environment):
            _install(environment, lock)


def _is_current(environment: Environment) -> bool:
    return not list(_outdated(environment)) and environment.python.exists()


def _outdated(environment: Environment) -> Iterator[str]:
    for stamp, wanted in _stamps(environment).items():
        try:
            found = (environment.path / stamp).read_text()
        except (FileNotFoundError, NotADirectoryError):
            found = ""
        if found != wanted:
            yield stamp


def _stamps(environment: Environment) -> dict[str, str]:
    """What the environment has to be made from, as digests: a stamp in it says what it was made from."""
    root = environment.root
    # An environment holds absolute paths and a link to its interpreter: neither may change under it.
    made_with = [sys.version, os.path.realpath(sys.base_prefix), str(root)]
    projects = [root / package / "pyproject.toml" for package in environment.packages]
    return {
        ".stamp-pins": _digest([*made_with, (root / environment.pins).read_text()]),
        ".stamp-packages": _digest([text for path in projects for text in (str(path), path.read_text())]),
    }


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@contextlib.contextmanager
def _locked(environment: Environment) -> Generator[int]:
    """Hold the environment's lock: the system releases it when its last holder is gone, killed or not."""
    with (environment.root / f"{environment.folder}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"another call is installing {environment.folder}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _install(environment: Environment, lock: int) -> None:
    started = time.monotonic()
    stamps = _stamps(environment)
    outdated = list(_outdated(environment))
    anew = ".stamp-pins" in outdated or not environment.python.exists()
    for stamp in stamps if anew else outdated:
        (environment.path / stamp).unlink(missing_ok=True)
    if anew:
        _make(environment, lock)
        (environment.path / ".stamp-pins").write_text(stamps[".stamp-pins"])
    _install_packages(environment, lock)
    (environment.path / ".stamp-packages").write_text(stamps[".stamp-packages"])
    _say(f"{environment.folder} is ready ({time.monotonic() - started:.0f} s)")


def _make(environment: Environment, lock: int) -> None:
    version = "{}.{}.{}".format(*sys.version_info)
    count = (environment.root / environment.pins).read_text().count("==")
    _say(f"making {environment.folder} with Python {version} (once; about a minute)")
    base = getattr(sys, "_base_executable", None) or sys.executable
    _run([base, "-I", "-m", "venv", "--clear", str(environment.path)], environment, lock)
    _say(f"installing {count} pinned packages")
    _pip(["--require-hashes", "--only-binary", ":all:", "-r", environment.pins], environment, lock)


def _install_packages(environment: Environment, lock: int) -> None:
    if not environment.packages:
        return
    _say("installing the packages of this repository")
    editable = [word for package in environment.packages for word in ("-e", package)]
    _pip(["--no-deps", "--no-build-isolation", "--no-index", *editable], environment, lock)


def _pip(arguments: Sequence[str], environment: Environment, lock: int) -> None:
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-user"]
    _run([str(environment.python), "-I", "-m", "pip", "install", *quiet, *arguments], environment, lock)


def _run(command: Sequence[str], environment: Environment, lock: int) -> None:
    """Run a step in its own process group, which ends with this process or keeps the lock until it has ended."""
    variables = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    with subprocess.Popen(  # noqa: S603 - the command is built here, from constants and our own paths
        command,
        cwd=environment.root,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        process_group=0,
        pass_fds=(lock,),
    ) as step:
        try:
            status = step.wait()
        except BaseException:
            os.killpg(step.pid, signal.SIGKILL)
            raise
    if status:
        raise subprocess.CalledProcessError(status, command)


def _stop(signum: int, _frame: FrameType | None) -> None:
    _leave(128 + signum, "stopped; the next call starts the installation again")


def _spoken(command: Sequence[str]) -> str:
    return " ".join(word for word in command[1:] if word != "-I")


def _leave(status: int, text: str) -> NoReturn:
    _say(text)
    raise SystemExit(status)


def _say(text: str) -> None:
    print(f"dev: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:], Path(__file__).resolve().parent.parent)
