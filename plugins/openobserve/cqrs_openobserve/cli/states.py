"""What ``init``, ``plan`` and ``export`` begin with: both states and what lies between them."""

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import final

import attrs
import click
from returns.result import Failure

from cqrs_openobserve.cli.speaking import shown
from cqrs_openobserve.client import Client
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.provision.actual import Actual, read_actual
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.desired import Desired, desired, rules_of
from cqrs_openobserve.provision.own_rules import VARIABLE, own_rules
from cqrs_openobserve.provision.server import Refusal

app_option = click.option(
    "--app", metavar="MODULE", help=f"A module with rules of your own: a tuple {VARIABLE} of AlertRule."
)


@final
@attrs.frozen
class States:
    """Both states.

    Attributes:
        client: of the server.
        desired: what should be there.
        actual: what is there.
    """

    client: Client
    desired: Desired
    actual: Actual


@contextmanager
def admin_client(configuration: Configuration) -> Generator[Client]:
    """Give a client with full credentials, and close it.

    Args:
        configuration: of the server.
    """
    client = client_of(configuration, configuration.admin)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def states(configuration: Configuration, app: str | None) -> Generator[States]:
    """Read both states; if the server's cannot be read, the command says why and ends with exit code 1.

    Args:
        configuration: what was read from the environment.
        app: the module with the user's own rules.
    """
    wanted = desired(configuration, load_rules(app, configuration))
    with admin_client(configuration) as client:
        there = read_actual(configuration, client, wanted)
        if isinstance(there, Refusal):
            click.echo(f"cqrs openobserve: {there.text}\n  Fix: {there.hint}", err=True)
            raise click.exceptions.Exit(1)
        yield States(client, wanted, there)


def load_rules(app: str | None, configuration: Configuration) -> tuple[AlertRule, ...]:
    """Import the user's own rules, the current directory first on ``sys.path``.

    Args:
        app: ``package.module`` or ``package.module:name``; None for no rules.
        configuration: names our own rules.

    Raises:
        click.ClickException: they are not there, or something is wrong with them.
    """
    if app is None:
        return ()
    name = app.partition(":")[0]
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever importing the user's module raises
        said = shown(configuration, f"{type(error).__name__}: {error}")
        raise click.ClickException(f"--app {app}: cannot import {name!r}: {said}") from None
    if not hasattr(module, VARIABLE):
        raise click.ClickException(f"--app {app}: {name} has no {VARIABLE}, a tuple of AlertRule.")
    found = own_rules(getattr(module, VARIABLE), (rule.name for rule in rules_of(configuration)))
    if isinstance(found, Failure):
        raise click.ClickException(f"--app {app}: " + "\n  ".join(found.failure()))
    return found.unwrap()
