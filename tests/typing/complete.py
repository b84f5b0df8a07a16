"""Ask pyright whether the type of everything public is written down: `pyright --verifytypes cqrs` has to give 100 %.

Exit status 1 lists what a user's type checker would have to guess. Pyright looks at an installed package, and does not
find one that is installed in editable form: it is shown a copy.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def main() -> int:
    """Print what is missing, or the score."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "cqrs", Path(folder) / "site" / "cqrs")
        report = _report(Path(folder))["typeCompleteness"]
    missing = list(_missing(report))
    print("\n".join(missing) or f"pyright knows the type of all {report['exportedSymbolCounts']['withKnownType']} public symbols.")
    return int(bool(missing) or report["completenessScore"] < 1)


def _report(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, "--verifytypes", "cqrs", "--ignoreexternal", "--outputjson"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder / 'site'}:{sysconfig.get_path('purelib')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        sys.exit(f"pyright failed: {done.stdout}{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _missing(report: Mapping[str, Any]) -> Iterator[str]:
    if not report.get("pyTypedPath"):
        yield "pyright did not find cqrs/py.typed"
    for symbol in report["symbols"]:
        if symbol["isExported"] and not symbol["isTypeKnown"]:
            told = [each["message"].splitlines()[0] for each in symbol["diagnostics"]]
            yield f"{symbol['name']}: {' '.join(told)}" if told else f"{symbol['name']}: because of one of the others"


if __name__ == "__main__":
    sys.exit(main())
