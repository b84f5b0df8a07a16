"""Clocks and chance that a test sets."""

from typing import Final, final

WALL_START: Final = 1_700_000_000_000_000_000


@final
class SteppedClock:
    """Two clocks that stand still until they are moved.

    Attributes:
        monotonic: the one that never goes back, in ns.
        wall: the one that may be set, in ns.
    """

    def __init__(self) -> None:
        self.monotonic = 1_000_000_000_000
        self.wall = WALL_START

    def monotonic_ns(self) -> int:
        """Nanoseconds on the clock that never goes back."""
        return self.monotonic

    def time_ns(self) -> int:
        """Nanoseconds on the wall clock."""
        return self.wall

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Args:
            seconds: how much.
        """
        self.monotonic += round(seconds * 1e9)
        self.wall += round(seconds * 1e9)

    def step(self, seconds: float) -> None:
        """Set the wall clock, while no time passes.

        Args:
            seconds: by how much; negative to set it back.
        """
        self.wall += round(seconds * 1e9)


@final
class SetChance:
    """Draws the number that it was told to.

    Attributes:
        draw: from 0 to below 1.
    """

    def __init__(self) -> None:
        self.draw = 0.0

    def random(self) -> float:
        """Draw."""
        return self.draw
