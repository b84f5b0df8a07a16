"""``export``: the desired state as files."""

from collections.abc import Mapping
from pathlib import Path

import click

from cqrs_openobserve.cli.speaking import spoken
from cqrs_openobserve.cli.states import app_option, load_rules
from cqrs_openobserve.provision.desired import desired
from cqrs_openobserve.provision.export import README, files, listed

_SHOWN = 3


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@app_option
def export(folder: Path, *, app: str | None) -> None:
    """Write streams, alerts and dashboards into DIR, each as the JSON body of the call that makes it.

    For servers that are set up by other means; README.md in DIR lists the calls. What an earlier export wrote is
    written anew, or removed if it is no longer wanted; any other file in the way is left alone, and nothing is
    written. No server is asked. The address of the channel is not written down.
    """
    with spoken() as configuration:
        written = files(desired(configuration, load_rules(app, configuration)))
        try:
            _write(folder, written)
        except OSError as error:
            raise click.ClickException(
                f"{error.filename or folder} cannot be written: {error.strerror}"
            ) from None
        click.echo(f"{len(written)} files in {folder}; README.md says which call each is the body of")


def _write(folder: Path, written: Mapping[str, bytes]) -> None:
    readme = folder / README
    ours = listed(readme.read_text("utf-8", "replace")) if readme.is_file() else frozenset[str]()
    others = [name for name in written if name not in ours and (folder / name).exists()]
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        raise click.ClickException(
            f"{', '.join(others[:_SHOWN])}{more} in {folder} was not written by export: name another folder."
        )
    for name in sorted(ours - written.keys()):
        (folder / name).unlink(missing_ok=True)
    # README.md is the first of them: stopped anywhere, the next export knows what this one wrote.
    for name, body in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
