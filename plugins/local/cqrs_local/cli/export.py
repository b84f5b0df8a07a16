"""`cqrs local export`: a stream as a file."""

import asyncio
import sys
from pathlib import Path
from typing import NoReturn

from cqrs_local.catalogue import StreamKey
from cqrs_local.directory import DataDirectory, DirectoryError
from cqrs_local.export import NoSuchStreamError, export
from cqrs_local.store import Store
from cqrs_local.store_settings import StoreSettings


def run_export(data: Path, key: StreamKey, kind: str, target: Path) -> None:
    """Write a stream; leave with one line on stderr and status 1 if that is impossible.

    Args:
        data: the data directory.
        key: organisation, type, name.
        kind: form of the file.
        target: the file; a part of it is never left behind.
    """
    if not data.is_dir():
        _fail(f"{data} does not exist. Fix: the directory that `cqrs local up` names with --data")
    try:
        rows = asyncio.run(_export(data, key, kind, target))
    except DirectoryError as error:
        _fail(f"{error}. Fix: stop the server first, or ask it with _search")
    except NoSuchStreamError as error:
        _fail(str(error))
    except (OSError, ValueError) as error:
        _fail(f"{error}")
    sys.stdout.write(f"{rows} rows of {key[2]} in {target}\n")


async def _export(data: Path, key: StreamKey, kind: str, target: Path) -> int:
    held = DataDirectory(data)
    fresh = target.with_name(f"{target.name}.part")
    try:
        store = Store(held.path, StoreSettings())
        try:
            with fresh.open("wb") as out:
                rows = export(store, key, kind, out)
        finally:
            await store.close()
        fresh.replace(target)
        return rows
    finally:
        fresh.unlink(missing_ok=True)
        held.release()


def _fail(reason: str) -> NoReturn:
    sys.stderr.write(f"cqrs local export: {reason}\n")
    sys.exit(1)
