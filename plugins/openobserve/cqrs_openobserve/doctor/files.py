"""The directories that hold telemetry and cached answers, and what processes left in them; nothing is touched."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

import attrs

from cqrs_openobserve.answers import one_line
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.directories import is_locked
from cqrs_openobserve.doctor.lines import Line, Setting
from cqrs_openobserve.spool import LOCK, MOST_REJECTED, REJECTED
from cqrs_openobserve.spool_files import is_temporary, parsed_name

# Locks that end with their process, and renames that are seen at once, are not to be relied on there.
NETWORK_FILESYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"}
)
_MOUNTS: Final = Path("/proc/self/mounts")
_SMALL: Final = 256 * 1024 * 1024
_MOST: Final = 200


@final
@attrs.frozen
class DirectoryFacts:
    """A directory.

    Attributes:
        path: where it is.
        problem: why it could not be looked at; empty if it could.
        exists: whether it is there.
        is_link, is_directory: what is there.
        mine: whether it belongs to this user.
        mode: its permissions.
        writable: whether this user may write to it, or make it.
        filesystem: its type, or empty if this system does not say.
        free_bytes: room that is left.
    """

    path: str
    problem: str = ""
    exists: bool = False
    is_link: bool = False
    is_directory: bool = False
    mine: bool = False
    mode: int = 0
    writable: bool = False
    filesystem: str = ""
    free_bytes: int = 0


@final
@attrs.frozen
class SpoolFacts:
    """The spool of one destination.

    Attributes:
        directory: the directory of all spools; None if records wait in memory.
        waiting: payloads that wait in it.
        waiting_bytes: their size.
        held: processes that hold their part of it now.
        lock_problem: why that cannot be told; empty if it can.
        rejected: paths of payloads that the server refused, the oldest first, at most 100.
    """

    directory: DirectoryFacts | None
    waiting: int = 0
    waiting_bytes: int = 0
    held: int = 0
    lock_problem: str = ""
    rejected: tuple[str, ...] = ()


def directory(path: Path, mounts: str = "") -> DirectoryFacts:
    """Look at a directory.

    Args:
        path: where it should be.
        mounts: what is mounted where, in the form of ``/proc/self/mounts``.
    """
    above = _nearest(path)
    facts = DirectoryFacts(str(path), filesystem=filesystem_of(above, mounts), free_bytes=_free(above))
    try:
        found = path.lstat()
    except FileNotFoundError:
        return attrs.evolve(facts, writable=os.access(above, os.W_OK | os.X_OK))
    except OSError as error:
        return attrs.evolve(facts, problem=error.strerror or str(error))
    return attrs.evolve(
        facts,
        exists=True,
        is_link=stat.S_ISLNK(found.st_mode),
        is_directory=stat.S_ISDIR(found.st_mode),
        mine=sys.platform == "win32" or found.st_uid == os.geteuid(),
        mode=stat.S_IMODE(found.st_mode),
        writable=os.access(path, os.W_OK | os.X_OK),
    )


def spool(configuration: Configuration) -> SpoolFacts:
    """Look at the spool.

    Args:
        configuration: whose.
    """
    root = configuration.spool.root
    if root is None:
        return SpoolFacts(None)
    facts = directory(root, mounts())
    if not facts.is_directory or not facts.mine:
        return SpoolFacts(facts)
    home = root / configuration.spool.destination
    processes = _processes(home)
    payloads = [each for process in processes for each in _payloads(process)]
    try:
        held, problem = sum(is_locked(process / LOCK) for process in processes), ""
    except OSError as error:
        held, problem = 0, error.strerror or str(error)
    rejected = tuple(_refused(home / REJECTED))
    return SpoolFacts(facts, len(payloads), sum(payloads), held, problem, rejected)


def caches(settings: tuple[Setting, ...]) -> tuple[DirectoryFacts, ...]:
    """Look at the directories that other plugins have for what they keep.

    Args:
        settings: of all plugins.
    """
    named = [each.value for each in settings if each.variable == "CQRS_SWR_DIR"]
    return tuple(directory(Path(each), mounts()) for each in named if each.startswith("/"))


def mounts() -> str:
    """Read what is mounted where; empty where the system does not tell it like Linux."""
    try:
        return _MOUNTS.read_text(errors="replace")
    except OSError:
        return ""


def filesystem_of(path: Path, told: str) -> str:
    """Give the type of the file system that a path is on.

    Args:
        path: an absolute path.
        told: what is mounted where.
    """
    best, kind = "", ""
    for line in told.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        place = parts[1].replace("\\040", " ")
        if len(place) >= len(best) and (path == Path(place) or Path(place) in path.parents):
            best, kind = place, parts[2]
    return kind


def judge_spool(configuration: Configuration, facts: SpoolFacts) -> list[Line]:
    """Tell whether records can wait there, and what waits.

    Args:
        configuration: whose.
        facts: what was found.
    """
    if facts.directory is None:
        text = "records wait in memory only while the server is away, and die with the process"
        if configuration.settings.spool_dir:
            return [Line("files", "spool", "ok", f"OPENOBSERVE_SPOOL_DIR is none: {text}")]
        return [Line("files", "spool", "warn", text, "export OPENOBSERVE_SPOOL_DIR=/var/lib/APP/telemetry")]
    return [
        judge_directory("spool", facts.directory, "OPENOBSERVE_SPOOL_DIR"),
        *_room(configuration, facts, facts.directory),
        *_locks(facts),
        *_waiting(facts),
    ]


def judge_directory(name: str, facts: DirectoryFacts, variable: str) -> Line:
    """Tell whether a directory can be used and is private.

    Args:
        name: of the line.
        facts: what was found.
        variable: what names the directory.
    """
    path = one_line(facts.path)[:_MOST]
    other, private = f"export {variable}=/another/directory", f"chmod 700 {path}"
    what = "a symbolic link" if facts.is_link else "no directory"
    flaws: tuple[tuple[object, str, str], ...] = (
        (facts.problem, f"cannot be looked at: {facts.problem}", other),
        (not facts.exists and not facts.writable, "is not there and may not be made by this user", other),
        (facts.exists and not facts.is_directory, f"is {what}, so it is not used", other),
        (facts.exists and not facts.mine, "belongs to somebody else, so it is not used", other),
        (
            facts.mode & 0o022,
            f"has mode {facts.mode:04o}: others may write to it, so it is not used",
            private,
        ),
        (not facts.writable, "may not be written to", private),
    )
    flaw = next((each for each in flaws if each[0]), None)
    if flaw is not None:
        return Line("files", name, "fail", f"{path} {flaw[1]}", flaw[2])
    if facts.filesystem in NETWORK_FILESYSTEMS:
        text = f"{path} is on a network file system ({facts.filesystem}), whose locks are not to be relied on"
        return Line("files", name, "warn", text, f"export {variable}=/a/local/directory")
    state = f"is private (mode {facts.mode:04o})" if facts.exists else "is not there yet and will be made"
    return Line(
        "files", name, "ok", f"{path} {state}{f', on {facts.filesystem}' if facts.filesystem else ''}"
    )


def _room(configuration: Configuration, facts: SpoolFacts, place: DirectoryFacts) -> Iterator[Line]:
    limit = configuration.spool.most_bytes
    if place.free_bytes < min(limit, _SMALL):
        text = f"{place.free_bytes // 2**20} MiB are free for the spool, which may take {limit // 2**20} MiB"
        yield Line("files", "room", "warn", text, "make room, or export OPENOBSERVE_SPOOL_SIZE=16MiB")
    elif facts.waiting_bytes > 0.8 * limit:
        text = f"{facts.waiting_bytes // 2**20} of {limit // 2**20} MiB of the spool are used"
        yield Line("files", "room", "warn", text, "export OPENOBSERVE_SPOOL_SIZE=256MiB")


def _locks(facts: SpoolFacts) -> Iterator[Line]:
    if facts.lock_problem:
        text = (
            f"locks do not work there, so that no process takes over what another left: {facts.lock_problem}"
        )
        yield Line("files", "lock", "warn", text, "export OPENOBSERVE_SPOOL_DIR=/a/local/directory")
    elif facts.held:
        yield Line("files", "lock", "ok", f"{facts.held} running processes hold their part of the spool")


def _waiting(facts: SpoolFacts) -> Iterator[Line]:
    if facts.waiting:
        text = f"{facts.waiting} payloads ({facts.waiting_bytes} bytes) wait in the spool for the server"
        fix = "they are sent by the next process that sends to this server; after 4 h 50 min they expire"
        yield Line("files", "waiting", "warn", text, fix)
    if facts.rejected:
        last = one_line(facts.rejected[-1])[:_MOST]
        count = f"{len(facts.rejected)}{' or more' if len(facts.rejected) >= MOST_REJECTED else ''}"
        text = f"the server refused {count} records, which are kept; the newest is {last}"
        fix = f"cqrs openobserve verify says why records are refused; then remove {Path(last).parent}"
        yield Line("files", "rejected", "fail", text, fix)


def _processes(home: Path) -> list[Path]:
    try:
        return [
            each
            for each in home.iterdir()
            if each.is_dir() and each.name != REJECTED and not is_temporary(each)
        ]
    except OSError:
        return []


def _payloads(folder: Path) -> list[int]:
    try:
        return [found.size for path in folder.iterdir() if (found := parsed_name(path)) is not None]
    except OSError:
        return []  # its process has just ended, or took the file away


def _refused(folder: Path) -> list[str]:
    try:
        return sorted(str(path) for path in folder.iterdir() if parsed_name(path) is not None)
    except OSError:
        return []


def _nearest(path: Path) -> Path:
    return next((each for each in (path, *path.parents) if each.exists()), Path("/"))


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return 0
