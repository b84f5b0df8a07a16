"""``init``: bring the server into the desired state."""

import click

from cqrs_openobserve.cli.speaking import end, spoken
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.provision.apply import apply


@click.command()
def init() -> None:
    """Create the streams with all their columns.

    Repeated, it changes nothing; columns that a stream lacks are added. Exit code 0 if the server is then
    as it should be, 1 if not.
    """
    with spoken() as configuration:
        client = client_of(configuration, configuration.admin)
        ok = True
        click.echo(f"{configuration.endpoint}, organisation {configuration.organization}")
        for step in apply(configuration, client):
            click.echo(f"  {step.did:<9}  {step.subject}  {step.text}".rstrip(), err=not step.ok)
            if not step.ok:
                ok = False
                click.echo(f"  {'':<9}  Fix: {step.hint}", err=True)
        client.close()
        end(0 if ok else 1)
