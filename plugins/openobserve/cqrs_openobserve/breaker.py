"""When to try again: a breaker that opens at the first failure and lets one request through after a delay; pure."""

from typing import Final, final

import attrs

SHORTEST_S: Final = 0.1
LONGEST_S: Final = 5.0
LONGEST_RETRY_AFTER_S: Final = 300.0


@final
@attrs.frozen
class Breaker:
    """The state of one signal's breaker.

    Attributes:
        failures: failures since the last success.
        until_ns: monotonic time before which nothing is sent, in ns.
    """

    failures: int = 0
    until_ns: int = 0

    @property
    def open(self) -> bool:
        """Whether the last request failed."""
        return self.failures > 0

    def wait_ns(self, now_ns: int) -> int:
        """Give the time until a request may be sent, in ns; 0 if now."""
        return max(0, self.until_ns - now_ns)

    def failed(self, now_ns: int, chance: float, retry_after_s: float | None = None) -> "Breaker":
        """Give the state after a failure.

        Args:
            now_ns: monotonic time, in ns.
            chance: a random number from 0 to 1.
            retry_after_s: what the server asked for, in seconds.
        """
        asked = min(retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
        seconds = max(delay_s(self.failures, chance), asked)
        return Breaker(self.failures + 1, now_ns + round(seconds * 1e9))


def delay_s(failures: int, chance: float) -> float:
    """Give the delay after a failure: uniform(0.1 s, min(5 s, 0.5 s · 2ⁿ)).

    Args:
        failures: failures before this one.
        chance: a random number from 0 to 1.
    """
    longest = min(LONGEST_S, 0.5 * 2.0 ** min(failures, 10))
    return SHORTEST_S + chance * (longest - SHORTEST_S)
