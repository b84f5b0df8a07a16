"""The core's own commands: look at an app without starting it."""

import os
import sys
from typing import Literal

import click
from returns.result import Failure

from cqrs.cli.app_argument import load_app, may_take_app, takes_app
from cqrs.cli.dlq import dlq
from cqrs.cli.groups import PluginGroup
from cqrs.describe import (
    AppDescription,
    PluginDescription,
    describe_core,
    describe_plugin,
    handlers_text,
    plugins_text,
)
from cqrs.mermaid import handlers_mermaid
from cqrs.plugin_discovery import gather
from cqrs.problems import CompositionError, Problem
from cqrs.reports import (
    check_json,
    config_json,
    config_text,
    handlers_json,
    plugins_json,
    problems_github,
    refusal_github,
    refusal_json,
)

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=PluginGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="returns-cqrs")
def cqrs() -> None:
    """Look at an app built with returns-cqrs; APP is package.module:app, or the variable CQRS_APP."""


@cqrs.command()
@takes_app
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True
)
def check(app: str, form: Literal["text", "json", "github"]) -> None:
    """Find everything that would keep APP from starting; exit 1 if there is anything.

    What keeps nothing from starting and is seldom meant is a warning.
    """
    try:
        found = load_app(app).check()
    except click.ClickException as refused:
        if form == "text":
            raise
        told = refusal_json if form == "json" else refusal_github
        click.echo(told(app, refused.message))
        sys.exit(1)
    if isinstance(found, Failure):
        _refuse(app, found.failure(), form)
    else:
        _pass(app, found.unwrap(), form)


@cqrs.command()
@takes_app
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "mermaid"]), default="text", show_default=True
)
def handlers(app: str, form: Literal["text", "json", "mermaid"]) -> None:
    """List the handlers of APP, each with its pipeline."""
    formats = {"text": handlers_text, "json": handlers_json, "mermaid": handlers_mermaid}
    click.echo(formats[form](_checked(app)))


@cqrs.command()
@may_take_app
@_json
def plugins(app: str | None, *, as_json: bool) -> None:
    """List the plugins of APP, or those that are installed, with their state; exit 1 if one is broken."""
    found = _plugins(app)
    click.echo(plugins_json(found) if as_json else plugins_text(found))
    sys.exit(any(plugin.state == "failed" for plugin in found))


@cqrs.command()
@may_take_app
@_json
def config(app: str | None, *, as_json: bool) -> None:
    """Print the settings of the core and of the plugins of APP, or of those installed, each with its source.

    Secrets are masked.
    """
    found = load_app(app).configuration() if app else (describe_core(os.environ), *_plugins(None))
    click.echo(config_json(found) if as_json else config_text(found))


cqrs.add_command(dlq)


def _plugins(app: str | None) -> tuple[PluginDescription, ...]:
    if app is not None:
        return load_app(app).configuration()[1:]
    return tuple(describe_plugin(plugin) for plugin in gather(None, dict(os.environ)))


def _checked(reference: str) -> AppDescription:
    checked = load_app(reference).check()
    if isinstance(checked, Failure):
        raise click.ClickException(str(CompositionError(checked.failure())))
    return checked.unwrap()


def _refuse(app: str, problems: tuple[Problem, ...], form: str) -> None:
    if form == "text":
        raise click.ClickException(str(CompositionError(problems)))
    click.echo(check_json(app, problems, None) if form == "json" else problems_github(problems, "error"))
    sys.exit(1)


def _pass(app: str, description: AppDescription, form: str) -> None:
    if form == "json":
        click.echo(check_json(app, (), description))
        return
    if form == "github" and description.warnings:
        click.echo(problems_github(description.warnings, "warning"))
    count = len(description.handlers)
    click.echo(f"{app}: ok, {count} handler{'' if count == 1 else 's'} and subscribers, nothing is missing.")
    if form == "text":
        for warning in description.warnings:
            click.echo(f"warning: {warning}", err=True)
