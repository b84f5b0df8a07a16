"""Every command that the documentation names exists, with the options that it is shown with."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import click
import pytest

from cqrs.cli.commands import cqrs
from cqrs.cli.groups import PluginGroup

ROOT = Path(__file__).parent.parent.parent
JUST = shutil.which("just", path=Path(sys.executable).parent)

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?:\$ )?(?:[A-Z_][A-Z0-9_]*=\S* )*(?:python -m )?(\./dev|just|cqrs) +(\S.*)")
COMMENT = re.compile(r"\s+#.*")
PLACEHOLDER = re.compile(r"[A-Z]+")
ASKS_ONLY = {"-h", "--help", "--version"}


def test_every_command_of_a_page_exists(page: Path) -> None:
    """Verbs of `./dev` and `just`, commands of `cqrs`, and their options."""
    assert wrong_commands(page.read_text()) == []


def test_every_command_of_the_contributor_guide_exists() -> None:
    """It is no page of the documentation, and names more verbs than any."""
    assert wrong_commands((ROOT / "CONTRIBUTING.md").read_text()) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("`./dev test`, `./dev lock --upgrade`, `./dev VERB`, `just check`", 0),
        ("`./dev fly`", 1),
        ("`just fly`", 1),
        ("```\n./dev test   # everything\n./dev fly\n```\n", 1),
        ("```console\n$ PYTHON=python3.13 ./dev fly\n```\n", 1),
        ("```python\n./dev fly\n```\n", 0),
        ("`./dev demo --seconds 5 --keep`", 0),
        ("`./dev demo --hurry`", 1),
        ("`cqrs check shop:app`, `cqrs check`, `cqrs -h`, `cqrs --version`, the package `cqrs`", 0),
        ("`CQRS_PLUGINS=none cqrs plugins`, `python -m cqrs plugins`", 0),
        ("`cqrs fly`", 1),
        ("`cqrs check shop:app --fast`", 1),
        ("`cqrs plugins one two`", 1),
        ("`cqrs openobserve verify --timeout 5s`", 0),
        ("`cqrs openobserve fly`", 1),
        ("`cqrs openobserve verify --timeout soon`", 1),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(text: str, wrong: int) -> None:
    """A verb, a command, an option, an argument: whichever of them is not there."""
    assert len(wrong_commands(text)) == wrong, wrong_commands(text)


def test_a_group_that_cannot_be_loaded_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin's group that is broken still answers to its name."""
    monkeypatch.setattr(PluginGroup, "get_command", broken_group)

    assert len(wrong_commands("`cqrs openobserve init`")) == 1


# --- finding and resolving commands ------------------------------------------------------------------


def wrong_commands(text: str) -> list[str]:
    """The commands of a page that do not exist, each with what is wrong."""
    found = dict.fromkeys(commands(text))
    return [f"{program} {words}: {why}" for program, words in found if (why := fault(program, words.split()))]


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Program and arguments of each command in a terminal's block or in a line of text."""
    for language, block in FENCE.findall(text):
        if language in {"", "console"}:
            for line in block.splitlines():
                if command := COMMAND.fullmatch(COMMENT.sub("", line)):
                    yield command[1], command[2]
    for inline in INLINE.findall(FENCE.sub("", text)):
        if command := COMMAND.fullmatch(" ".join(inline.split())):
            yield command[1], command[2]


def fault(program: str, words: list[str]) -> str:
    """What is wrong with a command, empty if it exists."""
    return cqrs_fault(cqrs, words) if program == "cqrs" else verb_fault(*words)


def verb_fault(verb: str, *arguments: str) -> str:
    if PLACEHOLDER.fullmatch(verb):
        return ""
    if verb not in verbs():
        return f"the justfile has no {verb}"
    if arguments and not verbs()[verb]:
        return f"{verb} takes no arguments"
    options = [argument for argument in arguments if argument.startswith("-")]
    unknown = [option for option in options if verb == "demo" and option not in demo_help().split()]
    return f"demo has no {', '.join(unknown)}" if unknown else ""


def cqrs_fault(command: click.Command, words: list[str]) -> str:
    """Let click parse what is given, group by group, and run nothing."""
    given = [word for word in words if word not in ASKS_ONLY]
    try:
        context: click.Context | None = None
        while isinstance(command, click.Group) and given:
            # As the real call does it: a command keeps the help option of the first context that asks for it.
            context = click.Context(
                command, parent=context, info_name=command.name, **command.context_settings
            )
            name, command, given = command.resolve_command(context, given)
            if command is None or (command.help or "").startswith("Broken:"):
                return f"{name} cannot be loaded"
        if not isinstance(command, click.Group):
            command.make_context(command.name, given, parent=context)
    except click.MissingParameter:
        return ""  # named without its arguments
    except click.UsageError as error:
        return error.format_message()
    return ""


@lru_cache
def verbs() -> dict[str, list[object]]:
    """The parameters of each verb of the justfile."""
    assert JUST
    dump = subprocess.run(
        [JUST, "--justfile", str(ROOT / "justfile"), "--dump", "--dump-format", "json"],
        capture_output=True,
        check=True,
    )
    recipes: dict[str, dict[str, list[object]]] = json.loads(dump.stdout)["recipes"]
    return {name: recipe["parameters"] for name, recipe in recipes.items()}


@lru_cache
def demo_help() -> str:
    """The demo's own list of options."""
    helped = subprocess.run(
        [sys.executable, "-m", "examples.orders.demo", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return re.sub(r"[\[\],]", " ", helped.stdout)


def broken_group(group: click.Group, context: click.Context, name: str) -> click.Command:
    """What the command line gives for a group that cannot be imported."""
    del group, context
    return click.Command(name, help="Broken: no such module")
