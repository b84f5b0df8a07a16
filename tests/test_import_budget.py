"""`import cqrs` stays light: it loads nothing that an app without plugins, terminal and tests does not need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    *("cqrs_openobserve", "cqrs_local", "cqrs_swr", "cqrs_redis"),
    *("opentelemetry", "httpx", "httpcore", "diskcache", "datafusion", "pyarrow", "uvicorn", "redis"),
    *("click", "rich", "hypothesis", "pytest", "_pytest"),
}

LOADED = "import sys; import {package}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"


def loaded_by(package: str, path: Path | None = None) -> set[str]:
    """Top-level modules that an import loads in a fresh interpreter."""
    flags = [] if path else ["-I"]
    environment = {**os.environ, "PYTHONPATH": str(path or "")}
    command = [sys.executable, *flags, "-c", LOADED.format(package=package)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_import_cqrs_loads_no_plugin_library() -> None:
    """A fresh interpreter that imports `cqrs` has loaded none of the heavy libraries."""
    assert loaded_by("cqrs") & HEAVY == set()


def test_importing_every_name_loads_no_plugin_library() -> None:
    """Using every public name does not load them either: no name is a lazy door to a heavy library."""
    every = "cqrs, importlib; [getattr(cqrs, name) for name in cqrs.__all__]"

    assert loaded_by(every) & HEAVY == set()


@pytest.mark.parametrize("source", ["import {}", "from importlib import import_module\nimport_module('{}')"])
@pytest.mark.parametrize("library", ["rich", "httpx"])
def test_a_heavy_import_is_noticed(tmp_path: Path, source: str, library: str) -> None:
    """A package that loads one of them, in whatever way, is caught."""
    for name, text in {
        library: "",
        "light": f"import light.deep{chr(10)}",
        "light/deep": source.format(library),
    }.items():
        target = tmp_path / (f"{name}/__init__.py" if name == "light" else f"{name}.py")
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)

    assert loaded_by("light", tmp_path) & HEAVY == {library}
