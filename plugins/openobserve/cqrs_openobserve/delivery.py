"""Which payload goes next and what becomes of it: the state of one signal's sending, without I/O or threads."""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, final

import attrs

from cqrs_openobserve.answers import Answer, Meaning, Trouble
from cqrs_openobserve.breaker import Breaker
from cqrs_openobserve.ledger import Reason, Settled

CAPACITY: Final = 8
OLDEST_NS: Final = (4 * 60 + 50) * 60 * 10**9


@final
@attrs.frozen(eq=False)
class Payload:
    """Records of one stream that travel in one request.

    Attributes:
        stream: the server's name of the stream.
        rows: one JSON object each.
        ages: when each became complete, monotonic ns.
        sequence: order of arrival; the parts of a split payload share it.
        body: the request's body, gzip.
        refusals: answers of a live server that neither took nor explained it.
        set_aside: whether others go first, to see whether the server takes those.
    """

    stream: str
    rows: tuple[bytes, ...] = attrs.field(repr=False)
    ages: tuple[int, ...] = attrs.field(repr=False)
    sequence: int = 0
    body: bytes | None = attrs.field(default=None, repr=False)
    refusals: int = 0
    set_aside: bool = False

    def halves(self) -> tuple["Payload", "Payload"]:
        """Give the records as two payloads."""
        middle = len(self.rows) // 2
        return (
            Payload(self.stream, self.rows[:middle], self.ages[:middle], self.sequence),
            Payload(self.stream, self.rows[middle:], self.ages[middle:], self.sequence),
        )

    def __len__(self) -> int:
        return len(self.rows)


class Transport(Protocol):
    """Takes payloads to the server."""

    def ingest(self, stream: str, body: bytes, /) -> Answer | Trouble:
        """Send one request; never raises."""
        ...

    def limit(self, moment: float, /) -> None:
        """End every request at a moment (``time.monotonic()``) at the latest."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...

    def abandon(self) -> None:
        """Forget connections that belong to the parent process."""
        ...


@final
class Delivery:
    """Payloads in their order, the breaker, and the counts; the owner holds a lock around every call.

    Args:
        max_retries: how often a live server may refuse one payload without explaining it.
        chance: gives random numbers from 0 to 1.

    Attributes:
        settled: what became of the records.
        breaker: when the server may be asked again.
        trouble: the last thing that went wrong, for the line at exit.
    """

    def __init__(self, max_retries: int, chance: Callable[[], float]) -> None:
        self.settled = Settled()
        self.breaker = Breaker()
        self.trouble = ""
        self._max_retries = max_retries
        self._chance = chance
        self._blocked = False
        self._payloads: deque[Payload] = deque()
        self._sequence = 0

    @property
    def waiting(self) -> int:
        """Records that are neither delivered nor dropped."""
        return sum(map(len, self._payloads))

    @property
    def room(self) -> bool:
        """Whether another payload may be added."""
        return len(self._payloads) < CAPACITY

    @property
    def outage(self) -> str:
        """What to say about a server that takes nothing; empty after a single blip, which is not worth a line."""
        return self.trouble if self._blocked or self.breaker.failures > 1 else ""

    @property
    def last_sequence(self) -> int:
        """Sequence number of the payload added last."""
        return self._sequence

    def is_settled(self, sequence: int) -> bool:
        """Tell whether every payload up to a sequence number is settled."""
        return all(payload.sequence > sequence for payload in self._payloads)

    def add(self, payload: Payload) -> None:
        """Take a payload; it stays here until it is settled, also while it is on the wire."""
        self._sequence += 1
        self._payloads.append(attrs.evolve(payload, sequence=self._sequence))

    def next(self, now_ns: int, *, hurry: bool = False) -> Payload | int | None:
        """Say what to send.

        Args:
            now_ns: monotonic time, in ns.
            hurry: do not wait for the breaker.

        Returns:
            A payload, or how long to wait in ns, or None if there is nothing.
        """
        self._expire(now_ns)
        if not self._payloads:
            return None
        return (0 if hurry else self.breaker.wait_ns(now_ns)) or self._payloads[0]

    def answered(self, payload: Payload, meant: Meaning, now_ns: int) -> None:
        """Take note of an answer; one to a payload that was given up meanwhile is ignored.

        Args:
            payload: what was sent, as ``next`` gave it.
            meant: what the answer means.
            now_ns: monotonic time, in ns.
        """
        if not self._payloads or self._payloads[0] is not payload:
            return
        if meant.hint or meant.action != "settle":
            self.trouble = f"{meant.text}; {meant.hint}" if meant.hint else f"{meant.text}."
        self._blocked = meant.action == "blocked"
        if meant.action in {"settle", "split"}:
            self.breaker = Breaker()
        else:
            self.breaker = self.breaker.failed(now_ns, self._chance(), meant.retry_after_s)
        self._apply(payload, meant)

    def give_up(self, reason: Reason) -> int:
        """Drop everything; says how many records that were."""
        dropped = self.waiting
        self.settled.drop(reason, dropped)
        self._payloads.clear()
        return dropped

    def _apply(self, payload: Payload, meant: Meaning) -> None:
        if meant.action == "settle":
            self._settle(payload, meant)
        elif meant.action == "split":
            self._split(payload)
        elif meant.action == "again":
            self._again(payload, meant)
        elif meant.server_error:
            self._suspect(payload)

    def _settle(self, payload: Payload, meant: Meaning) -> None:
        self._payloads.popleft()
        self.settled.deliver(meant.delivered)
        self.settled.drop("rejected_record", meant.rejected)
        self.settled.drop("unaccounted", len(payload) - meant.delivered - meant.rejected)
        if meant.delivered:
            self._halve_a_suspect()

    def _split(self, payload: Payload) -> None:
        self._payloads.popleft()
        if len(payload) == 1:
            self.settled.drop("rejected_record", 1)
        else:
            self._payloads.extendleft(reversed(payload.halves()))

    def _again(self, payload: Payload, meant: Meaning) -> None:
        self._payloads.popleft()
        if payload.refusals < self._max_retries:
            self._payloads.appendleft(attrs.evolve(payload, refusals=payload.refusals + 1))
        else:
            self.settled.deliver(meant.delivered)
            self.settled.drop("unaccounted", len(payload) - meant.delivered)

    def _suspect(self, payload: Payload) -> None:
        # A plain 500 can be one bad record of this payload or a broken server: the next payload will tell.
        self._payloads.popleft()
        payload = attrs.evolve(payload, refusals=payload.refusals + 1)
        if payload.refusals < self._max_retries:
            self._payloads.appendleft(payload)
        else:
            self._payloads.append(attrs.evolve(payload, set_aside=True))

    def _halve_a_suspect(self) -> None:
        # The server takes others: what it answers with 500 holds a bad record, which halving finds.
        suspect = next((payload for payload in self._payloads if payload.set_aside), None)
        if suspect is None:
            return
        self._payloads.remove(suspect)
        if len(suspect) == 1:
            self.settled.drop("rejected_record", 1)
        for half in suspect.halves() if len(suspect) > 1 else ():
            self._payloads.append(attrs.evolve(half, refusals=self._max_retries))

    def _expire(self, now_ns: int) -> None:
        limit = now_ns - OLDEST_NS
        if all(payload.ages and min(payload.ages) >= limit for payload in self._payloads):
            return
        kept: deque[Payload] = deque()
        for payload in self._payloads:
            fresh = [index for index, age in enumerate(payload.ages) if age >= limit]
            self.settled.drop("expired", len(payload) - len(fresh))
            if len(fresh) == len(payload):
                kept.append(payload)
            elif fresh:
                rows, ages = tuple(payload.rows[i] for i in fresh), tuple(payload.ages[i] for i in fresh)
                kept.append(attrs.evolve(payload, rows=rows, ages=ages, body=None))
        self._payloads = kept
