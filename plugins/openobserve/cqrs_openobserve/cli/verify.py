"""``verify``: prove the installation by reading back what was sent."""

import click

from cqrs_openobserve.cli.speaking import Duration, end, spoken
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.plugin import client_of, pipeline_of
from cqrs_openobserve.verify import Verification


@click.command()
@click.option(
    "--timeout", type=Duration(), default="30s", show_default=True, help="How long to wait at most."
)
def verify(timeout: float) -> None:
    """Send one probe per stream and read it back by SQL.

    The probes take the way of production. Exit code 0 if every probe came back with the right fields and
    types, 1 if not; each miss is told with its likely cause.
    """
    with spoken() as configuration:
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
        end(0 if proven and configuration.settings.enabled and configuration.settings.logs_enabled else 1)


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
