"""The pytest plugin: found by entry point, light until a fixture is used, and harmless to everybody else's tests."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

USERS = """
import attrs, pytest
from returns.result import Result, Success
from cqrs import Command, Feature

@attrs.frozen
class Order(Command[int, str]):
    number: int

orders = Feature("orders")

@orders.handles(Order)
async def order(command: Order) -> Result[int, str]:
    return Success(command.number)

@pytest.mark.parametrize("number", range(4))
@pytest.mark.anyio
async def test_an_app_is_composed_and_observed(cqrs_app, captured, number):
    async with cqrs_app(orders) as bus:
        assert await bus.commands.execute(Order(number)) == Success(number)
    assert [each.outcome for each in captured.observations] == ["success"]

@pytest.mark.anyio
async def test_an_app_is_not_observed_by_itself(cqrs_app):
    async with cqrs_app(orders) as bus:
        assert await bus.commands.execute(Order(1)) == Success(1)
    assert bus.plugins == ()

def test_no_network(no_network):
    import socket
    from cqrs.testing.no_network import NetworkUsed
    with pytest.raises(NetworkUsed):
        socket.create_connection(("192.0.2.1", 9))
"""

STRANGERS = """
import sys

def test_nothing_of_cqrs_is_loaded():
    assert "_cqrs_pytestplugin" in sys.modules
    assert not {"cqrs", "returns", "attrs", "anyio", "hypothesis"} & set(sys.modules)

def test_the_network_is_there():
    import socket
    assert socket.getaddrinfo.__module__ == "socket"
"""


def run(folder: Path, source: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run a suite in an interpreter of its own, with the plugins that are named and no other."""
    (folder / "test_users.py").write_text(source)
    command = [
        sys.executable,
        "-Im",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "_cqrs_pytestplugin",
        *options,
    ]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": ""}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


def test_it_is_found_by_its_entry_point() -> None:
    """What pytest loads by itself is this module."""
    (point,) = [each for each in entry_points(group="pytest11") if each.name == "cqrs"]

    assert point.value == "_cqrs_pytestplugin"
    assert point.load().cqrs_app


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-p", "randomly", "-p", "randomly", "-p", "no:randomly"),
        ("-p", "randomly"),
        ("-p", "xdist", "-n", "2"),
        ("-p", "_hypothesis_pytestplugin"),
    ],
    ids=["alone", "ordered", "random", "xdist", "hypothesis"],
)
def test_its_fixtures_work_in_any_company(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Alone, in random order, on two processes, beside hypothesis' plugin."""
    ran = run(tmp_path, USERS, "-p", "anyio", *options)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "passed" in ran.stdout
    assert "failed" not in ran.stdout


def test_the_tests_of_others_are_not_touched(tmp_path: Path) -> None:
    """A suite that uses no fixture of it has loaded nothing but one small module."""
    ran = run(tmp_path, STRANGERS)

    assert ran.returncode == 0, ran.stdout
    assert "2 passed" in ran.stdout


def test_the_fixtures_are_listed_with_what_they_do(tmp_path: Path) -> None:
    """`pytest --fixtures` tells a newcomer."""
    ran = run(tmp_path, STRANGERS, "--fixtures")

    for told in ("cqrs_app", "captured", "no_network", "Compose an app that no installed plugin"):
        assert told in ran.stdout
