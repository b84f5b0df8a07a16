"""Where the spool is: what the settings say, or the user's directory for state."""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final

import attrs

from cqrs_openobserve.endpoint import Endpoint

NOWHERE: Final = "none"


@final
@attrs.frozen
class SpoolPlace:
    """Where a process keeps its spool, and how much of it.

    Attributes:
        root: the directory of all spools; None keeps everything in memory.
        destination: names server and organisation; records of another destination are never read.
        most_bytes: how much this process may keep, in bytes.
    """

    root: Path | None
    destination: str
    most_bytes: int


def spool_place(
    setting: str, most_bytes: int, env: Mapping[str, str], endpoint: Endpoint, organization: str
) -> SpoolPlace:
    """Find the place.

    Args:
        setting: ``OPENOBSERVE_SPOOL_DIR``: a directory, ``none``, or empty for the user's directory for state.
        most_bytes: how much a process may keep, in bytes.
        env: where the user's directories are told.
        endpoint: the server.
        organization: the organisation's identifier.
    """
    destination = hashlib.blake2b(f"{endpoint} {organization}".encode(), digest_size=8).hexdigest()
    if setting == NOWHERE:
        return SpoolPlace(None, destination, most_bytes)
    root = Path(setting) if setting else _state_directory(env)
    return SpoolPlace(root, destination, most_bytes)


def _state_directory(env: Mapping[str, str]) -> Path | None:
    given, home = env.get("XDG_STATE_HOME", ""), env.get("HOME", "")
    if given.startswith("/"):
        return Path(given, "returns-cqrs-openobserve")
    if not home.startswith("/"):
        return None
    state = "Library/Application Support" if sys.platform == "darwin" else ".local/state"
    return Path(home, state, "returns-cqrs-openobserve")
