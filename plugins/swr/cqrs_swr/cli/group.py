"""The commands, their output and their exit codes; what they do stands elsewhere."""

import json
import os
from pathlib import Path

import click
from returns.result import Failure

from cqrs.clock import SystemClock
from cqrs.settings import load
from cqrs_swr.directory import NETWORK_FILESYSTEMS, ON_A_NETWORK, QUARANTINE, filesystem_of, refusal, size_of
from cqrs_swr.disk_store import DiskTrouble, Tables
from cqrs_swr.epochs import new_token, removing, scope
from cqrs_swr.settings import Settings
from cqrs_swr.shared_store import LAYOUT


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """The query cache: the folder that the processes of this machine share (CQRS_SWR_DIR)."""


@group.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def stats(*, as_json: bool) -> None:
    """Say how much the folder holds. What a running process has counted, its instruments know."""
    settings = _settings()
    folder = _folder(settings)
    tables = _opened(folder, settings)
    try:
        found = {
            "folder": str(folder),
            "rows": len(tables),
            "bytes": size_of(folder),
            "limit": settings.size_limit,
        }
    finally:
        tables.close()
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(f"{found['folder']}: {found['rows']} answers, {found['bytes']} of {found['limit']} bytes")


@group.command()
def clear() -> None:
    """Make every answer invalid, also those that running processes hold: they see it within CQRS_SWR_COHERENCE."""
    settings = _settings()
    folder = _folder(settings)
    tables = _opened(folder, settings)
    try:
        tables.renew({removing(scope("all")): new_token()})
        removed = tables.clear()
    except DiskTrouble as trouble:
        raise click.ClickException(
            f"{folder}: {trouble}. Fix: try again when no process is writing."
        ) from trouble
    finally:
        tables.close()
    click.echo(f"{folder}: {removed} answers removed, and those that processes hold are invalid")


@group.command()
def doctor() -> None:
    """Look for everything that would keep the folder from being used; exit code 1 if there is something."""
    settings = _settings()
    folder = settings.dir
    if folder is None:
        click.echo("CQRS_SWR_DIR is not set: each process keeps its own answers.")
        return
    problems = [f"{folder} {reason}" for reason in [refusal(folder)] if reason is not None]
    kind = filesystem_of(folder)
    if kind in NETWORK_FILESYSTEMS:
        problems.append(ON_A_NETWORK % (folder, kind))
    if (folder / f"{LAYOUT}.{QUARANTINE}").exists():
        click.echo(f"note      {folder / LAYOUT}.{QUARANTINE} was damaged and set aside; it may be removed")
    if not problems:
        problems.extend(_tried(folder, settings))
    for problem in problems:
        click.echo(f"problem   {problem}", err=True)
    if problems:
        raise SystemExit(1)
    click.echo(f"ok        {folder}: written and read, {size_of(folder)} of {settings.size_limit} bytes")


def _tried(folder: Path, settings: Settings) -> list[str]:
    try:
        tables = Tables(folder / LAYOUT, settings.size_limit, SystemClock())
        try:
            key, row = b"doctor..........", new_token()
            tables.put(key, row, 1.0)
            found = tables.get(key)
            tables.remove(key)
        finally:
            tables.close()
    except DiskTrouble as trouble:
        return [f"{folder}: {trouble}"]
    return [] if found == row else [f"{folder}: what was written is not read back"]


def _settings() -> Settings:
    loaded = load(Settings, os.environ)
    if isinstance(loaded, Failure):
        raise click.ClickException("\n".join(str(problem) for problem in loaded.failure()))
    return loaded.unwrap()


def _folder(settings: Settings) -> Path:
    if settings.dir is None:
        raise click.ClickException("CQRS_SWR_DIR is not set: there is no folder that processes share.")
    reason = refusal(settings.dir)
    if reason is not None:
        raise click.ClickException(f"CQRS_SWR_DIR={settings.dir} {reason}.")
    if not settings.dir.exists():
        raise click.ClickException(f"{settings.dir} is not there yet: no process has shared an answer in it.")
    return settings.dir


def _opened(folder: Path, settings: Settings) -> Tables:
    try:
        return Tables(folder / LAYOUT, settings.size_limit, SystemClock())
    except DiskTrouble as trouble:
        raise click.ClickException(f"{folder}: {trouble}. Fix: cqrs swr doctor says more.") from trouble
