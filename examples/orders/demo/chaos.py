"""Taking the server away while the load runs: killed without a warning, away for a while, started anew."""

from collections.abc import Callable
from typing import Final, final

import anyio
import anyio.to_thread
import attrs

from examples.orders.demo.server import Server

KILLS: Final = 2
SHORTEST_SECONDS: Final = 0.5


@final
@attrs.frozen
class Outage:
    """One time without a server.

    Attributes:
        at: when the server was killed, in seconds since the load began.
        seconds: how long it took until it listened again.
    """

    at: float
    seconds: float


async def disturb(server: Server, seconds: float, say: Callable[[str], None]) -> list[Outage]:
    """Kill the server and start it anew, twice.

    Args:
        server: killed with SIGKILL, so that it finishes nothing.
        seconds: how long the load is to last; the server runs for a third of it before each kill, and is away for
            a tenth of it and for as long as its start takes. Half a second at least for each.
        say: told what happens.
    """
    began, outages = anyio.current_time(), list[Outage]()
    for number in range(1, KILLS + 1):
        await anyio.sleep(max(SHORTEST_SECONDS, seconds / (KILLS + 1)))
        at = anyio.current_time() - began
        await anyio.to_thread.run_sync(server.kill)
        say(f"  the server is killed ({number} of {KILLS})")
        await anyio.sleep(max(SHORTEST_SECONDS, seconds / 10))
        await anyio.to_thread.run_sync(server.start_again)
        outages.append(Outage(at, anyio.current_time() - began - at))
        say(f"  the server is back after {outages[-1].seconds:.1f} s")
    return outages
