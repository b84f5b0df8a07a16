"""``export``: the desired state as files."""

from pathlib import Path

import click

from cqrs_openobserve.cli.speaking import spoken
from cqrs_openobserve.cli.states import app_option, load_rules
from cqrs_openobserve.provision.desired import desired
from cqrs_openobserve.provision.export import files


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@app_option
def export(folder: Path, *, app: str | None) -> None:
    """Write streams, alerts and dashboards into DIR, each as the JSON body of the call that makes it.

    For servers that are set up by other means; README.md in DIR lists the calls. No server is asked. The address of
    the channel is not written down.
    """
    with spoken() as configuration:
        written = files(desired(configuration, load_rules(app, configuration)))
        try:
            for name, body in written.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(body)
        except OSError as error:
            raise click.ClickException(
                f"{error.filename or folder} cannot be written: {error.strerror}"
            ) from None
        click.echo(f"{len(written)} files in {folder}; README.md says which call each is the body of")
