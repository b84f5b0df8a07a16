"""The commands, their output and their exit codes; what they do stands elsewhere."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import final

import click
from returns.result import Failure

from cqrs.settings import Invalid, milliseconds
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.plugin import client_of, pipeline_of
from cqrs_openobserve.provision.apply import apply
from cqrs_openobserve.verify import Verification


@final
class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return float(milliseconds(100, 3_600_000).parse(str(value).strip())) / 1000
        except Invalid as rule:
            self.fail(f"{value!r} {rule}", param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """OpenObserve: set the server up, and prove that records arrive.

    The settings are environment variables: OPENOBSERVE_URL and OPENOBSERVE_TOKEN are needed,
    OPENOBSERVE_ADMIN_TOKEN if that token may only send.
    """


@group.command()
def init() -> None:
    """Create the streams with all their columns.

    Repeated, it changes nothing; columns that a stream lacks are added. Exit code 0 if the server is then
    as it should be, 1 if not.
    """
    with _spoken() as configuration:
        client = client_of(configuration, configuration.admin)
        ok = True
        click.echo(f"{configuration.endpoint}, organisation {configuration.organization}")
        for step in apply(configuration, client):
            click.echo(f"  {step.did:<9}  {step.subject}  {step.text}".rstrip(), err=not step.ok)
            if not step.ok:
                ok = False
                click.echo(f"  {'':<9}  Fix: {step.hint}", err=True)
        client.close()
        _end(ok=ok)


@group.command()
@click.option(
    "--timeout", type=_Duration(), default="30s", show_default=True, help="How long to wait at most."
)
def verify(timeout: float) -> None:
    """Send one probe per stream and read it back by SQL.

    The probes take the way of production. Exit code 0 if every probe came back with the right fields and
    types, 1 if not; each miss is told with its likely cause.
    """
    with _spoken() as configuration:
        _say_switches(configuration)
        client = client_of(configuration, configuration.admin)
        pipeline = pipeline_of(configuration.without_spool())  # a probe that is late proves nothing
        verification = Verification(configuration, pipeline, client, timeout_s=timeout)
        click.echo(f"{configuration.endpoint}, organisation {configuration.organization}")
        proven = True
        try:
            for finding in verification.run():
                click.echo(
                    f"  {'proven' if finding.proven else 'MISSED':<6}  {finding.stream}  {finding.text}"
                )
                if not finding.proven:
                    proven = False
                    click.echo(f"  {'':<6}  Likely cause: {finding.cause}")
        finally:
            pipeline.stop()
            client.close()
        _end(ok=proven and configuration.settings.enabled and configuration.settings.logs_enabled)


@contextmanager
def _spoken() -> Generator[Configuration]:
    # Whatever happens, a person reads a sentence: problems one a line, never a traceback, never a secret.
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
        said = configuration.admin.mask(configuration.credentials.mask(f"{type(error).__name__}: {error}"))
        raise click.ClickException(f"this is a defect of returns-cqrs-openobserve: {said}") from None


def _say_switches(configuration: Configuration) -> None:
    settings = configuration.settings
    for variable, on in (
        ("OPENOBSERVE_ENABLED", settings.enabled),
        ("OPENOBSERVE_LOGS_ENABLED", settings.logs_enabled),
    ):
        if not on:
            click.echo(
                f"warning: {variable} is off: the app sends nothing, whatever is proven here.", err=True
            )
    if settings.log_level in {"WARN", "ERROR"}:
        text = "successes are not recorded, so rates have no denominator."
        click.echo(f"warning: CQRS_LOG_LEVEL={settings.log_level}: {text}", err=True)


def _end(*, ok: bool) -> None:
    if not ok:
        raise click.exceptions.Exit(1)
