"""The core's own commands: look at an app without starting it."""

import os
import sys

import click
from returns.result import Failure

from cqrs.cli.app_argument import load_app
from cqrs.cli.groups import PluginGroup
from cqrs.describe import AppDescription, describe_plugin, handlers_text, plugins_text
from cqrs.plugin_discovery import gather
from cqrs.problems import CompositionError
from cqrs.settings import report

_app = click.argument("app", envvar="CQRS_APP")


@click.group(cls=PluginGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="returns-cqrs")
def cqrs() -> None:
    """Look at an app built with returns-cqrs; APP is package.module:app, or the variable CQRS_APP."""


@cqrs.command()
@_app
def check(app: str) -> None:
    """Find everything that would keep APP from starting; exit 1 if there is anything."""
    description = _checked(app)
    count = len(description.handlers)
    click.echo(f"{app}: ok, {count} handler{'' if count == 1 else 's'} and subscribers, nothing is missing.")
    for plugin in description.plugins:
        if plugin.state == "failed":
            click.echo(f"warning: plugin {plugin.name} does not run: {plugin.reason}", err=True)


@cqrs.command()
@_app
def handlers(app: str) -> None:
    """List the handlers of APP, each with its pipeline."""
    click.echo(handlers_text(_checked(app)))


@cqrs.command()
def plugins() -> None:
    """List the plugins that are installed, with their state; exit 1 if one is broken."""
    found = tuple(describe_plugin(plugin) for plugin in gather(None, dict(os.environ)))
    click.echo(plugins_text(found))
    sys.exit(any(plugin.state == "failed" for plugin in found))


@cqrs.command()
def config() -> None:
    """Print the settings of the installed plugins, each with its source; secrets are masked."""
    env = dict(os.environ)
    for loaded in gather(None, env):
        click.echo(f"{loaded.name}: {loaded.state}" + (f", {loaded.reason}" if loaded.reason else ""))
        if loaded.builder is None:
            continue
        for settings in loaded.builder.loaded:
            for line in report(settings, env):
                click.echo(f"  {line.variable}={line.value}  ({line.source})")


def _checked(reference: str) -> AppDescription:
    checked = load_app(reference).check()
    if isinstance(checked, Failure):
        raise click.ClickException(str(CompositionError(checked.failure())))
    return checked.unwrap()
