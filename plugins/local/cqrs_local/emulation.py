"""Which version of the real server this one answers as, where versions differ."""

from enum import StrEnum


class Emulation(StrEnum):
    """An emulated version, by the name that `--emulate` takes."""

    V0_16 = "0.16"
    NEWEST = "newest"

    @property
    def version(self) -> str:
        """What `GET /config` says."""
        return "v0.16.3" if self is Emulation.V0_16 else "v0.92.2"
