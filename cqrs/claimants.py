"""Who holds a claim: a process, so that another one can tell whether it is still there."""

import os
import platform
import sys
from pathlib import Path
from typing import Final, final

import attrs

_START_FIELD: Final = 19  # of what follows the command in /proc/PID/stat: the time when the process began


@final
@attrs.frozen
class Claimant:
    """One process.

    Attributes:
        machine: the name of its machine.
        pid: its number there.
        began: what tells it from an earlier or later process of that number; empty where the system does not say.
    """

    machine: str
    pid: int
    began: str

    @staticmethod
    def here() -> "Claimant":
        """Give this process."""
        return Claimant(platform.node(), os.getpid(), _began(os.getpid()))

    @staticmethod
    def read(text: str) -> "Claimant":
        """Read what ``str`` has written; one of nowhere if it is anything else.

        Args:
            text: the text.
        """
        pid, _, rest = text.partition(" ")
        began, _, machine = rest.partition(" ")
        return Claimant(machine, int(pid), began) if pid.isascii() and pid.isdigit() else Claimant("", 0, "")

    def __str__(self) -> str:
        """Number, beginning and machine on one line."""
        return f"{self.pid} {self.began} {self.machine}"

    def has_ended(self) -> bool:
        """Tell whether the process is known to be gone; False where that cannot be known, as on another machine."""
        if self.machine != platform.node() or self.pid <= 0 or sys.platform == "win32":
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # it belongs to somebody else, and is there
            pass
        return bool(self.began) and _began(self.pid) not in ("", self.began)


def _began(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[_START_FIELD]
