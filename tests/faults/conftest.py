"""Set-up of the tests of faults: a real program, in a process of its own, with real distributions."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

# Every way in which coroutines can run, as `anyio.run` is told.
LOOPS = {"asyncio": "", "debug": ", backend_options={'debug': True}"}
if sys.version_info >= (3, 12):
    LOOPS["eager"] = ", backend_options={'loop_factory': eager_loop}"
if importlib.util.find_spec("trio"):
    LOOPS["trio"] = ", backend='trio'"

PROGRAM = """
import asyncio, json, logging, sys
import anyio
import attrs
from returns.result import Result, Success
from cqrs import Command, CompositionError, CqrsModule, Feature

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)


@attrs.frozen
class Place(Command[int, str]): ...


orders = Feature("orders")


@orders.handles(Place)
async def place(command: Place) -> Result[int, str]:
    return Success(4711)


async def settle(app):
    pass


def eager_loop():
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    return loop


{more}


async def main(app):
    answer = None
    try:
        async with app as bus:
            await settle(bus)
            answer = repr(await bus.commands.execute(Place()))
            states = {{p.name: [p.state, p.reason] for p in bus.plugins}}
            health = {{h.plugin: [h.ok, h.text] for h in bus.health()}}
    except CompositionError as refused:
        print(json.dumps({{"refused": [str(problem) for problem in refused.problems]}}))
        return
    print(json.dumps({{"answer": answer, "states": states, "health": health}}))


anyio.run(main, CqrsModule.for_root(orders, strict={strict!r}{options}){loop})
"""


@attrs.frozen
class Ran:
    """What a program did.

    Attributes:
        told: the JSON object that it printed last.
        log: what it logged, line by line.
        output: everything that it wrote.
    """

    told: dict[str, Any]
    log: list[str]
    output: str

    def state(self, plugin: str) -> str:
        """The state of a plugin."""
        return str(self.told["states"][plugin][0])

    def reason(self, plugin: str) -> str:
        """Why a plugin does not run."""
        return str(self.told["states"][plugin][1])

    def logged(self, text: str) -> list[str]:
        """The log's lines with a text."""
        return [line for line in self.log if text in line]


Run = Callable[..., Ran]


def pytest_configure(config: pytest.Config) -> None:
    """Say what the mark is for."""
    config.addinivalue_line("markers", "on_every_loop: run once for each way in which coroutines can run.")


@pytest.fixture
def loop() -> str:
    """How the program's coroutines run: as with `anyio.run`, unless the test is one of `on_every_loop`."""
    return "asyncio"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `on_every_loop` once for each."""
    if metafunc.definition.get_closest_marker("on_every_loop"):
        metafunc.parametrize("loop", LOOPS)


@pytest.fixture
def run_app(site: Path, tmp_path: Path, loop: str) -> Run:
    """Run an app with one handler and every plugin that is installed; it has to end by itself, with exit code 0."""

    def run(more: str = "", *, strict: bool = False, options: str = "", **env: str) -> Ran:
        source = PROGRAM.format(more=more, strict=strict, options=options, loop=LOOPS[loop])
        ran = subprocess.run(
            [sys.executable, "-P", "-c", source],
            cwd=tmp_path,
            env={"PYTHONPATH": str(site), "PATH": "", "HOME": str(tmp_path), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=18,
        )
        assert ran.returncode == 0, ran.stderr
        *_, told = ran.stdout.splitlines()
        return Ran(json.loads(told), ran.stderr.splitlines(), ran.stdout + ran.stderr)

    return run


@pytest.fixture
def plugin(install: Callable[..., None]) -> Callable[..., None]:
    """Install a distribution `shop-NAME` with a plugin NAME, whose class has a body."""

    def write(name: str, body: str = "pass", *, before: str = "", version: str = "1.0") -> None:
        indented = "\n".join(f"    {line}" for line in body.strip().splitlines())
        source = (
            "import contextlib, threading, time\nimport anyio, anyio.to_thread\nfrom returns.result import Failure, Success\n"
            f"from cqrs.plugins import Plugin\n{before}\nclass Made(Plugin):\n    name = {name!r}\n{indented}\n"
        )
        module = f"shop_{name}"
        install(
            f"shop-{name}", f"[cqrs.plugins]\n{name} = {module}:Made\n", version=version, **{module: source}
        )

    return write
