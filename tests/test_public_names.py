import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import cqrs

MOST_NAMES = 48


def test_the_public_names_are_sorted_few_and_all_there() -> None:
    """`__all__` is sorted (constants, classes, functions), names nothing twice, 48 at most, and each is an attribute."""
    assert cqrs.__all__ == sorted(set(cqrs.__all__), key=lambda name: (not name.isupper(), name))
    assert len(cqrs.__all__) <= MOST_NAMES
    assert [name for name in cqrs.__all__ if not hasattr(cqrs, name)] == []


def test_nothing_else_is_public() -> None:
    """Whatever the package shows besides its submodules is in `__all__`."""
    import types

    shown = {name for name in dir(cqrs) if not isinstance(getattr(cqrs, name), types.ModuleType)}

    assert {name for name in shown if not name.startswith("_")} == set(cqrs.__all__)


def test_what_is_public_comes_from_the_package() -> None:
    """No name of another library is handed on as our own."""
    origins = {name: getattr(cqrs, name).__module__.split(".")[0] for name in cqrs.__all__}

    assert {name: origin for name, origin in origins.items() if origin != "cqrs"} == {}


def test_the_version_is_that_of_the_distribution_and_read_when_asked() -> None:
    """`cqrs.__version__` is what is installed; importing the package does not look it up."""
    assert cqrs.__version__ == importlib.metadata.version("returns-cqrs")
    assert "__version__" not in vars(cqrs)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name is told with the module's name."""
    with pytest.raises(AttributeError, match=r"module 'cqrs' has no attribute 'Kommand'"):
        _ = cqrs.Kommand  # type: ignore[attr-defined]  # the name is made at run time


def test_importing_runs_nothing() -> None:
    """Importing the package starts no thread, prints nothing and adds no log handler."""
    code = (
        "import logging, threading, cqrs\n"
        "assert threading.active_count() == 1\n"
        "assert not logging.getLogger('cqrs').handlers and not logging.getLogger().handlers\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_name_is_loaded_when_it_is_used_first() -> None:
    """A module of messages and features does not pay for what composes and runs an app."""
    code = (
        "import sys\n"
        "from cqrs import Command, Event, Query, Rejection, is_ok\n"
        "assert not {'cqrs.app', 'cqrs.container', 'punq', 'asyncio'} & set(sys.modules), sys.modules\n"
        "from cqrs import CqrsModule\n"
        "assert {'cqrs.app', 'cqrs.container', 'punq'} <= set(sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (run.returncode, run.stderr) == (0, "")


def test_checkers_and_interpreter_find_the_same_names_in_the_same_modules() -> None:
    """What the package imports for the type checkers is what it loads at run time."""
    tree = ast.parse(Path(cqrs.__file__).read_text())
    told = {
        name.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("cqrs.")
        for name in node.names
    }

    assert told == {name: f"cqrs.{module}" for name, module in cqrs._HOMES.items()}  # type: ignore[attr-defined]  # private
    assert set(told) == set(cqrs.__all__)
