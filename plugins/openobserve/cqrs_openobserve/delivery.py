"""Which payload goes next and what becomes of it: the state of one signal's sending, without I/O or threads."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, final

from cqrs_openobserve.answers import Meaning
from cqrs_openobserve.breaker import Breaker
from cqrs_openobserve.ledger import Reason, Settled
from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.payloads import Payload, halves
from cqrs_openobserve.spool_files import SpoolFile

CAPACITY: Final = 8
OLDEST_NS: Final = (4 * 60 + 50) * 60 * 10**9
PATIENCE_NS: Final = 250_000_000
_NEVER: Final = 2**63


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
        waiting: records in memory that are neither delivered nor dropped.
        spooled: records in the spool.
        finished: files of the spool that are no longer needed; the owner takes them.
        rejected: single records that the server refused; the owner takes them.
    """

    def __init__(self, max_retries: int, chance: Callable[[], float]) -> None:
        self.settled = Settled()
        self.breaker = Breaker()
        self.trouble = ""
        self.waiting = self.spooled = 0
        self.finished: list[SpoolFile] = []
        self.rejected: list[Payload] = []
        self._max_retries = max_retries
        self._chance = chance
        self._blocked = False
        self._parcels: deque[Parcel] = deque()
        self._sequence = self._in_memory = 0
        self._expires_ns = _NEVER

    @property
    def room(self) -> bool:
        """Whether another payload may be added in memory."""
        return self._in_memory < CAPACITY

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
        return all(parcel.sequence > sequence for parcel in self._parcels)

    def add(self, payload: Payload, now_ns: int) -> None:
        """Take a payload; it stays here until it is settled, also while it is on the wire.

        Args:
            payload: whose records were accepted.
            now_ns: monotonic time, in ns.
        """
        self._sequence += 1
        self._parcels.append(self._held(payload, self._sequence, now_ns))

    def adopt(self, files: Iterable[SpoolFile], now_ns: int) -> None:
        """Take over files of a process that has ended; they go first.

        Args:
            files: the oldest first.
            now_ns: monotonic time, in ns.
        """
        adopted: list[Parcel] = []
        for file in files:
            parcel = Parcel(file, now_ns - file.age_ns, 0, now_ns)
            self.settled.accept(file.records, adopted=True)
            self.spooled += file.records
            self._expires_ns = min(self._expires_ns, parcel.oldest_ns + OLDEST_NS)
            adopted.append(parcel)
        self._parcels.extendleft(reversed(adopted))

    def to_park(self, now_ns: int, *, everything: bool = False) -> list[Parcel]:
        """Say what belongs into the spool: all that cannot be sent at once.

        Args:
            now_ns: monotonic time, in ns.
            everything: also what could be sent at once, because the process ends.
        """
        if not self._in_memory:
            return []
        in_memory = [parcel for parcel in self._parcels if parcel.file is None]
        since = min(parcel.since_ns for parcel in in_memory)
        stuck = self.breaker.open or now_ns - since >= PATIENCE_NS
        return in_memory if stuck or everything else []

    def parked(self, parcel: Parcel, file: SpoolFile) -> bool:
        """Take note that a parcel lies in the spool now.

        Args:
            parcel: as ``to_park`` gave it.
            file: its file.

        Returns:
            False if the file is not needed, because the parcel was settled meanwhile.
        """
        if parcel.file is not None or parcel not in self._parcels:
            return False
        parcel.file, parcel.payload = file, None
        self._in_memory -= 1
        self.waiting -= parcel.records
        self.spooled += parcel.records
        return True

    def next(self, now_ns: int, *, hurry: bool = False) -> Parcel | int | None:
        """Say what to send.

        Args:
            now_ns: monotonic time, in ns.
            hurry: do not wait for the breaker.

        Returns:
            A parcel, or how long to wait in ns, or None if there is nothing.
        """
        self._expire(now_ns)
        if not self._parcels:
            return None
        return (0 if hurry else self.breaker.wait_ns(now_ns)) or self._parcels[0]

    def lost(self, parcel: Parcel, reason: Reason) -> None:
        """Drop one parcel, for example because its file is damaged.

        Args:
            parcel: as ``next`` gave it.
            reason: why.
        """
        if self._remove(parcel):
            self.settled.drop(reason, parcel.records)

    def answered(self, parcel: Parcel, payload: Payload, meant: Meaning, now_ns: int) -> None:
        """Take note of an answer; one to a parcel that was given up meanwhile is ignored.

        Args:
            parcel: what was sent, as ``next`` gave it.
            payload: its payload.
            meant: what the answer means.
            now_ns: monotonic time, in ns.
        """
        if parcel not in self._parcels:
            return
        if meant.hint or meant.action != "settle":
            self.trouble = f"{meant.text}; {meant.hint}" if meant.hint else f"{meant.text}."
        self._blocked = meant.action == "blocked"
        if meant.action in {"settle", "split"}:
            self.breaker = Breaker()
        else:
            self.breaker = self.breaker.failed(now_ns, self._chance(), meant.retry_after_s)
        self.settled.ambiguous += parcel.records if meant.ambiguous else 0
        self._apply(parcel, payload, meant)

    def give_up(self, reason: Reason) -> int:
        """Drop what is in memory; what lies in the spool stays there for the next process.

        Args:
            reason: why.

        Returns:
            How many records were dropped.
        """
        dropped = self.waiting
        self.settled.drop(reason, dropped)
        self._parcels = deque(parcel for parcel in self._parcels if parcel.file is not None)
        self.waiting = self._in_memory = 0
        return dropped

    def _apply(self, parcel: Parcel, payload: Payload, meant: Meaning) -> None:
        if meant.action == "settle":
            self._settle(parcel, meant)
        elif meant.action == "split":
            self._split(parcel, payload)
        elif meant.action == "again":
            self._again(parcel, meant)
        elif meant.server_error:
            self._suspect(parcel, payload)

    def _settle(self, parcel: Parcel, meant: Meaning) -> None:
        self._remove(parcel)
        self.settled.deliver(meant.delivered)
        self.settled.drop("rejected_record", meant.rejected)
        self.settled.drop("unaccounted", parcel.records - meant.delivered - meant.rejected)
        for other in self._parcels if meant.delivered else ():
            other.suspicious = other.set_aside

    def _split(self, parcel: Parcel, payload: Payload) -> None:
        self._parcels.extendleft(reversed(self._parts(parcel, payload)))

    def _parts(self, parcel: Parcel, payload: Payload) -> list[Parcel]:
        self._remove(parcel)
        parts = halves(payload) if parcel.records > 1 else ()
        if not parts:  # the bad record itself, or a body that cannot be read
            self.settled.drop("rejected_record", parcel.records)
            self.rejected.append(payload)
        return [self._held(part, parcel.sequence, parcel.since_ns) for part in parts]

    def _again(self, parcel: Parcel, meant: Meaning) -> None:
        parcel.refusals += 1
        if parcel.refusals > self._max_retries:
            self._remove(parcel)
            self.settled.deliver(meant.delivered)
            self.settled.drop("unaccounted", parcel.records - meant.delivered)

    def _suspect(self, parcel: Parcel, payload: Payload) -> None:
        # A plain 500 can be one bad record of this payload or a broken server: the next payload will tell.
        parcel.refusals += 1
        if parcel.suspicious:
            for part in self._parts(parcel, payload):
                part.refusals, part.set_aside = self._max_retries, True
                self._parcels.append(part)
        elif parcel.refusals >= self._max_retries:
            parcel.set_aside = True
            self._parcels.remove(parcel)
            self._parcels.append(parcel)

    def _held(self, payload: Payload, sequence: int, now_ns: int) -> Parcel:
        parcel = Parcel(payload, payload.oldest_ns, sequence, now_ns)
        self._in_memory += 1
        self.waiting += payload.records
        self._expires_ns = min(self._expires_ns, payload.oldest_ns + OLDEST_NS)
        return parcel

    def _remove(self, parcel: Parcel) -> bool:
        if parcel not in self._parcels:
            return False
        self._parcels.remove(parcel)
        if parcel.file is not None:
            self.finished.append(parcel.file)
            self.spooled -= parcel.records
        else:
            self._in_memory -= 1
            self.waiting -= parcel.records
        return True

    def _expire(self, now_ns: int) -> None:
        if now_ns <= self._expires_ns:
            return
        limit = now_ns - OLDEST_NS
        for parcel in [parcel for parcel in self._parcels if parcel.oldest_ns < limit]:
            self.lost(parcel, "expired")
        ages = (parcel.oldest_ns + OLDEST_NS for parcel in self._parcels)
        self._expires_ns = min(ages, default=_NEVER)
