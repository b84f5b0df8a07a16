"""The commands of the local server."""

import os
from pathlib import Path

import click

from cqrs_local.directory import default_directory


@click.group(name="local")
def group() -> None:
    """An embedded, OpenObserve-compatible server for a laptop, tests and CI."""


@group.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=5080,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port; 0 picks a free one.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory; a per-user one by default.")
@click.option(
    "--org", default="default", show_default=True, help="Organisation that is there from the start."
)
@click.option(
    "--emulate",
    type=click.Choice(["0.16", "newest"]),
    default="newest",
    show_default=True,
    help="Version of OpenObserve to answer as, where versions differ.",
)
def up(host: str, port: int, data: Path | None, org: str, emulate: str) -> None:
    """Run the server until Ctrl-C.

    Prints lines that a shell can eval: eval "$(cqrs local up | head -n 8)" is rarely what you want, as the
    server stops with its shell; copy the three export lines instead.
    """
    from cqrs_local.cli.up import Wanted, run_until_stopped
    from cqrs_local.emulation import Emulation

    wanted = Wanted(host, port, data or default_directory(os.environ), org, Emulation(emulate))
    run_until_stopped(wanted)


@group.command()
@click.argument("stream")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "csv", "ndjson"]),
    required=True,
    help="Form of the file.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Data directory; a per-user one by default.")
@click.option("--org", default="default", show_default=True, help="Organisation.")
@click.option(
    "--type", "type_", default="logs", show_default=True, help="Type of the stream: logs, metrics or traces."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; STREAM.FORMAT by default.",
)
def export(*, stream: str, kind: str, data: Path | None, org: str, type_: str, output: Path | None) -> None:
    """Write all rows of STREAM to a file while the server does not run."""
    from cqrs_local.cli.export import run_export

    target = output or Path(f"{stream}.{kind}")
    run_export(data or default_directory(os.environ), (org, type_, stream), kind, target)
