"""How a command speaks: settings that are wrong, warnings, defects and exit codes; never a traceback, never a secret."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import final

import click
from returns.result import Failure

from cqrs.settings import Invalid, milliseconds
from cqrs_openobserve.answers import one_line
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.provision.server import masked

_MOST = 400


@final
class Duration(click.ParamType[float]):
    """A time such as ``500ms`` or ``30s``, as seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it.

        Args:
            value: what was given.
            param: whose value it is.
            ctx: of the command.
        """
        if isinstance(value, float):
            return value
        try:
            return float(milliseconds(100, 3_600_000).parse(str(value).strip())) / 1000
        except Invalid as rule:
            self.fail(f"{value!r} {rule}", param, ctx)


@contextmanager
def spoken() -> Generator[Configuration]:
    """Read the settings, and tell a person in a sentence whatever happens with them.

    Yields:
        What was read. Problems with it are printed one a line, and the command ends with exit code 1.
    """
    found = read(os.environ)
    if isinstance(found, Failure):
        for problem in found.failure():
            click.echo(f"cqrs openobserve: {problem}", err=True)
        raise click.exceptions.Exit(1)
    configuration = found.unwrap()
    for warning in configuration.warnings:
        click.echo(f"warning: {warning}", err=True)
    try:
        yield configuration
    except (click.exceptions.Exit, click.ClickException):
        raise
    except Exception as error:  # noqa: BLE001  # said without the traceback, which is of no use to who runs a command
        said = shown(configuration, f"{type(error).__name__}: {error}")
        raise click.ClickException(f"this is a defect of returns-cqrs-openobserve: {said}") from None


def shown(configuration: Configuration, text: str) -> str:
    """Give somebody else's text as one bounded line without secrets.

    Args:
        configuration: whose secrets are masked.
        text: any.
    """
    return one_line(masked(configuration, text))[:_MOST]


def end(code: int) -> None:
    """End a command.

    Args:
        code: exit code; 0 lets it run out.
    """
    if code:
        raise click.exceptions.Exit(code)


def warn_of_rates(configuration: Configuration) -> None:
    """Say so if successes are not recorded.

    Args:
        configuration: what was read.
    """
    if configuration.settings.log_level in {"WARN", "ERROR"}:
        text = "successes are not recorded, so rates have no denominator."
        click.echo(f"warning: CQRS_LOG_LEVEL={configuration.settings.log_level}: {text}", err=True)
