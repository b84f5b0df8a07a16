"""Every test of the repository, in several pytest processes side by side; run by ``just test``.

Most tests wait for processes, sockets and clocks: one after the other they leave the machine idle. The first process
prints as it goes, what the others printed follows when they have ended.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
# Each about equally long; what is named nowhere runs with the last.
LANES = (
    ("tests", "--ignore=tests/docs", "--ignore=tests/testing"),
    ("tests/docs", "tests/testing", "examples/orders/tests"),
    ("plugins/openobserve/tests",),
)
IGNORE = "--ignore="
# A test that has the machine for itself has less.
SECONDS = "60"


def main() -> int:
    """Run the lanes; gives 1 if one failed."""
    failed: list[str] = []
    with TemporaryDirectory() as folder, ExitStack() as stack:
        files = [Path(folder, str(number)) for number, _ in enumerate(lanes())]
        running: list[subprocess.Popen[bytes]] = []
        for paths, file in zip(lanes(), files, strict=True):
            running.append(stack.enter_context(_started(paths, file)))
            stack.callback(running[-1].kill)
        for paths, process, file in zip(lanes(), running, files, strict=True):
            failed += [" ".join(paths)] if process.wait() else []
            sys.stdout.write(file.read_text(errors="replace") if file.exists() else "")
            sys.stdout.flush()
    sys.stdout.write(f"failed: {'; '.join(failed)}\n" if failed else "")
    return 1 if failed else 0


def lanes() -> Iterator[tuple[str, ...]]:
    """Share the paths of ``pyproject.toml`` out among the processes.

    Raises:
        ValueError: if a lane names a path that is not tested.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    paths: list[str] = settings["tool"]["pytest"]["ini_options"]["testpaths"]
    words = [word for lane in LANES for word in lane]
    apart = {word.removeprefix(IGNORE) for word in words if word.startswith(IGNORE)}
    named = {word for word in words if not word.startswith(IGNORE)}
    if unknown := (named - apart - set(paths)) | (apart - named):
        raise ValueError(f"not among the testpaths of pyproject.toml: {', '.join(sorted(unknown))}")
    yield from LANES
    yield tuple(path for path in paths if path not in named)


def _started(paths: Sequence[str], file: Path) -> "subprocess.Popen[bytes]":
    # One cache of results for all would be written by all.
    command = [sys.executable, "-Pm", "pytest", "-p", "no:cacheprovider", f"--timeout={SECONDS}", *paths]
    if paths == LANES[0]:
        return subprocess.Popen(command, cwd=ROOT)
    with file.open("wb") as output:
        return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(main())
