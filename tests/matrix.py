"""The core's tests on every supported Python that is found on PATH; run by ``just matrix``.

Each has an environment of its own, with the core and pytest in it. What the environment of the other verbs is made with
does not matter.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
CLASSIFIER = "Programming Language :: Python :: 3."
# A shim of a version that is not there runs and fails; a Python without these cannot make an environment.
PROBE = "import ensurepip, ssl, sys, venv; print('%d.%d' % sys.version_info[:2])"


def main(arguments: Sequence[str]) -> int:
    """Run the tests on one Python after the other; gives 1 if they failed on one, or if there is none.

    Args:
        arguments: for pytest.
    """
    found = {version: find(version, os.environ["PATH"]) for version in supported()}
    verdicts = {
        version: _tested(version, python, arguments) if python else "not found on PATH"
        for version, python in found.items()
    }
    sys.stdout.write(
        "\n" + "".join(f"Python {version}: {verdict}\n" for version, verdict in verdicts.items())
    )
    ran = [verdicts[version] for version, python in found.items() if python]
    return 0 if ran and all(verdict == "passed" for verdict in ran) else 1


def supported() -> Iterator[str]:
    """The versions that the package says it runs on, oldest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for classifier in project["classifiers"]:
        if classifier.startswith(CLASSIFIER):
            yield classifier.rpartition(" ")[2]


def find(version: str, path: str) -> str:
    """The first interpreter of a version that runs; an empty text if there is none.

    Args:
        version: as in ``3.12``.
        path: folders, as in the variable PATH.
    """
    for folder in path.split(os.pathsep):
        python = Path(folder, f"python{version}")
        if folder and os.access(python, os.X_OK) and _says(python) == version:
            return str(python)
    return ""


def _says(python: Path) -> str:
    run = subprocess.run([python, "-I", "-c", PROBE], capture_output=True, text=True, check=False)
    return run.stdout.strip()


def _tested(version: str, python: str, arguments: Sequence[str]) -> str:
    sys.stdout.write(f"\n== Python {version}\n")
    sys.stdout.flush()
    pytest = Path(".venv-core-" + version, "bin", "pytest")
    command = [python, "-I", "requirements/install.py", f"core-{version}", "--", str(pytest)]
    # One cache of results for all would be written by all.
    status = subprocess.run(
        [*command, "-p", "no:cacheprovider", *arguments], cwd=ROOT, check=False
    ).returncode
    return f"failed ({status})" if status else "passed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
