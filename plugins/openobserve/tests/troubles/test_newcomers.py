"""The three troubles of docs/how-to/troubleshoot.md, met as somebody meets them who has just begun."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Env = dict[str, str]
PAGE = Path(__file__).parents[4] / "docs/how-to/troubleshoot.md"
SECTION = re.compile(r"^## (.*?)\n.*?^```text\n\$ (cqrs [^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Uses every bus once, and knows nothing of telemetry.
APP = """
import anyio, attrs
from returns.result import Result, Success
from cqrs import Command, CqrsModule, Event, Feature, Query

@attrs.frozen
class Place(Command[int, str]): ...
@attrs.frozen
class Find(Query[int, str]): ...
@attrs.frozen
class Placed(Event): ...

shop = Feature("shop")

@shop.handles(Place)
async def place(command: Place) -> Result[int, str]:
    return Success(1)

@shop.handles(Find)
async def find(query: Find) -> Result[int, str]:
    return Success(1)

@shop.subscribes(Placed, name="tell")
async def tell(event: Placed) -> Result[None, str]:
    return Success(None)

async def main():
    async with CqrsModule.for_root(shop) as bus:
        await bus.commands.execute(Place())
        await bus.queries.execute(Find())
        await bus.events.publish(Placed())

anyio.run(main)
"""


def shown(title: str) -> tuple[list[str], str]:
    """The command of a section, and what the page shows of its output."""
    sections = {found[1]: (found[2].split()[1:], found[3]) for found in SECTION.finditer(PAGE.read_text())}
    return sections[title]


def run_app(env: Env) -> None:
    """An app that runs once, in a process of its own."""
    variables = {
        "PATH": os.environ["PATH"],
        "CQRS_PLUGINS": "openobserve",
        **env,
        "OPENOBSERVE_EXIT_TIMEOUT": "20s",
    }
    done = subprocess.run(
        [sys.executable, "-c", APP], env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def as_shown(text: str, result: Result) -> bool:
    """Whether an output is what the page shows, with … for anything within a line."""
    pattern = r"[^\n]*".join(map(re.escape, text.strip().split("…")))
    return re.fullmatch(pattern, result.stdout.strip()) is not None


@pytest.fixture
def env(start: Callable[[str], Any], env_of: Callable[[Any], Env]) -> Env:
    """What somebody has set up by then."""
    return env_of(start("newest")) | {"OPENOBSERVE_TRACING_SAMPLING_RATE": "1"}


def test_it_cannot_connect(env: Env, command: Callable[..., Result]) -> None:
    """The server does not run where the variable says, and does where it is then set to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    arguments, text = shown("It cannot connect")
    wrong = command(*arguments, **env | {"OPENOBSERVE_URL": f"http://127.0.0.1:{port}"})

    assert as_shown(text, wrong), wrong.stdout
    assert "export OPENOBSERVE_URL=" in wrong.stdout
    assert "cannot be connected" not in command(*arguments, **env).stdout


@pytest.mark.parametrize(
    ("title", "variable"),
    [
        ("Metrics are not shown", "OPENOBSERVE_METRICS_ENABLED"),
        ("Traces are missing", "OPENOBSERVE_TRACING_ENABLED"),
    ],
)
def test_a_signal_is_missing_until_the_command_is_followed(
    env: Env, command: Callable[..., Result], title: str, variable: str
) -> None:
    """The app runs without it, ``doctor`` gives the command, and with it all is well."""
    arguments, text = shown(title)
    without = env | {variable: "false"}
    assert command("init", **without).exit_code == 0
    run_app(without)
    wrong = command(*arguments, **without)

    assert as_shown(text, wrong), wrong.stdout
    ((name, value),) = re.findall(r"Fix: export (\w+)=(\S+)", wrong.stdout)
    mended = env | {name: value}
    assert command("init", **mended).exit_code == 0
    run_app(mended)
    right = command(*arguments, **mended)
    assert right.exit_code == 0, right.stdout
    assert right.stdout.endswith("0 warn, 0 fail\n")


def test_the_page_has_no_trouble_that_is_not_tested() -> None:
    """Whoever adds one adds its test."""
    titles = [found[1] for found in SECTION.finditer(PAGE.read_text())]
    assert titles == ["It cannot connect", "Metrics are not shown", "Traces are missing"]
    assert PAGE.read_text().count("\n## ") == len(titles)
