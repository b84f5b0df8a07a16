"""The folder that processes share: only ours, only for us, and set aside when it is damaged."""

import os
import shutil
import stat
from pathlib import Path
from typing import Final

# What SQLite's locks are not to be trusted on.
NETWORK_FILESYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph"}
)
ON_A_NETWORK: Final = "%s is on %s, where the locks of SQLite cannot be trusted: use a local disk."
QUARANTINE: Final = "quarantine"
_MOUNTS: Final = Path("/proc/self/mounts")


def refusal(folder: Path) -> str | None:
    """Say why a folder is not used; None if it is ours alone, or is not there yet.

    Args:
        folder: the folder.
    """
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"cannot be looked at ({error.strerror})"
    if not stat.S_ISDIR(found.st_mode):
        link = "a symbolic link, which may come to mean another folder"
        return f"is {link if stat.S_ISLNK(found.st_mode) else 'not a folder'}"
    if found.st_uid != os.geteuid():
        return f"belongs to user {found.st_uid}, not to user {os.geteuid()} who runs this"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be written by others than its owner; chmod 700 it"
    return None


def prepare(folder: Path) -> None:
    """Make a folder that only its owner can enter.

    Args:
        folder: the folder; those above it are made as well.

    Raises:
        OSError: if it cannot be made, or must not be used.
    """
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)  # parents=True would open those above it to others
    reason = refusal(folder)
    if reason is not None:
        raise PermissionError(f"{folder} {reason}")
    folder.chmod(0o700)


def prepare_file(file: Path) -> None:
    """Make an empty file that only its owner can read, unless it is there.

    Args:
        file: the file.

    Raises:
        OSError: if it cannot be made, or is anything but a file of ours.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(file, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PermissionError(f"{file} is not a file")
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def set_aside(folder: Path) -> None:
    """Move a damaged folder out of the way; one is kept to be looked at, an older one goes.

    Args:
        folder: the folder.

    Raises:
        OSError: if it can be neither moved nor removed.
    """
    aside = folder.with_name(f"{folder.name}.{QUARANTINE}")
    if aside.is_symlink() or aside.is_file():
        aside.unlink()
    elif aside.exists():
        shutil.rmtree(aside)
    if folder.exists() or folder.is_symlink():
        folder.rename(aside)


def filesystem_of(folder: Path, mounts: Path = _MOUNTS) -> str:
    """Name the kind of filesystem that a folder is on; empty if that cannot be told.

    Args:
        folder: the folder, or one that will be made.
        mounts: where the system lists what is mounted.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    path, best, kind = folder.absolute(), Path(), ""
    for fields in (line.split() for line in lines):
        if len(fields) > 2:
            place = Path(fields[1].replace("\\040", " "))
            if path.is_relative_to(place) and len(place.parts) >= len(best.parts):
                best, kind = place, fields[2]
    return kind


def size_of(folder: Path) -> int:
    """Sum up the bytes of a folder's files; what disappears meanwhile counts as nothing.

    Args:
        folder: the folder.
    """
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:
                continue
    return total
