"""Command groups of plugins, each imported only when it is asked for, none able to break the others."""

import importlib.metadata
from functools import cache
from importlib.metadata import EntryPoint
from typing import Final, final

import click

from cqrs.plugin_discovery import identity_of

GROUP: Final = "cqrs.commands"


@final
class PluginGroup(click.Group):
    """A group whose further commands come from installed distributions."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The core's commands and the names of the plugins' groups."""
        return sorted({*super().list_commands(ctx), *(entry.name for entry in _entries())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command of the core, else a plugin's group, else a command that says why the group is broken."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        entry = next((entry for entry in _entries() if entry.name == cmd_name), None)
        return None if entry is None else _loaded(entry)


@cache
def _entries() -> tuple[EntryPoint, ...]:
    # Once per call of the command: what is malformed is said once.
    return tuple(
        entry for distribution in importlib.metadata.distributions() for entry in _groups_of(distribution)
    )


def _groups_of(distribution: importlib.metadata.Distribution) -> list[EntryPoint]:
    if GROUP not in _text(distribution):
        return []
    try:
        return [entry for entry in distribution.entry_points if entry.group == GROUP]
    except Exception as error:  # a malformed file of one distribution hides only its own groups
        name = identity_of(distribution)[0]
        click.echo(f"cqrs: {name}: entry_points.txt is malformed: {error}", err=True)
        return []


def _text(distribution: importlib.metadata.Distribution) -> str:
    try:
        return distribution.read_text("entry_points.txt") or ""
    except (OSError, UnicodeError):
        return ""


def _loaded(entry: EntryPoint) -> click.Command:
    try:
        command = entry.load()
    except (Exception, SystemExit) as error:  # the group is broken, the command line is not
        return _broken(entry, f"{type(error).__name__}: {error}")
    return (
        command
        if isinstance(command, click.Command)
        else _broken(entry, f"it is a {type(command).__qualname__}")
    )


def _broken(entry: EntryPoint, why: str) -> click.Command:
    origin = "" if entry.dist is None else f" (from {' '.join(identity_of(entry.dist))})"

    @click.command(entry.name, context_settings={"ignore_unknown_options": True}, help=f"Broken: {why}")
    @click.argument("rest", nargs=-1)
    def broken(rest: tuple[str, ...]) -> None:
        del rest
        raise click.ClickException(f"the command group {entry.name!r}{origin} cannot be loaded: {why}.")

    return broken
