"""Set-up that several test files share."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cqrs import CqrsApp, CqrsModule, Feature
from cqrs.clock import SystemClock
from cqrs.dead_letter import MemoryDeadLetterQueue
from cqrs.hooks import Hooks
from cqrs.middleware import HandlerInfo
from cqrs.parking import Parking
from cqrs.subscribers import Delivering

Compose = Callable[..., CqrsApp]


@pytest.fixture
def compose_app() -> Compose:
    """Compose an app that no installed plugin and no variable of this machine can change."""

    def of(*features: Feature, **options: Any) -> CqrsApp:
        return CqrsModule.for_root(*features, **{"plugins": (), "env": {}, **options})

    return of


@pytest.fixture
def info() -> HandlerInfo:
    """What is known of some handler."""
    return HandlerInfo("command", object, "PlaceOrder", "shop.place_order", "shop.py:1")


@pytest.fixture
def delivering() -> Delivering:
    """What deliveries need, without an app: dead letters in memory, no instrument, the machine's clock."""
    hooks = Hooks()
    return Delivering(SystemClock(), hooks, Parking(MemoryDeadLetterQueue(), SystemClock(), hooks))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on `sys.path` for distributions of the test's own; what is imported from it is forgotten again."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Callable[..., None]:
    """Install a distribution: its metadata, its entry points as they stand in the file, and its modules."""

    def write(name: str, entry_points: str | bytes = "", *, version: str = "1.0", **modules: str) -> None:
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        raw = entry_points.encode() if isinstance(entry_points, str) else entry_points
        (info / "entry_points.txt").write_bytes(raw)
        for module, source in modules.items():
            (site / f"{module}.py").write_text(source)

    return write
