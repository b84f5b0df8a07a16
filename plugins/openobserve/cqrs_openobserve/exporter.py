"""Everything between the queues and the server, without threads or waiting: whoever calls it decides when.

Two callers at most: one calls ``work`` (the worker), one ``pick`` and ``send`` (the sender). ``books`` is the one lock;
those who observe never take it.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, final

import attrs

from cqrs.clock import Clock
from cqrs_openobserve.answers import Answer, meaning, skew_s
from cqrs_openobserve.delivery import OLDEST_NS, Delivery
from cqrs_openobserve.feeds import Plan
from cqrs_openobserve.health import Health
from cqrs_openobserve.intake import Intake
from cqrs_openobserve.ledger import Books, Reason, lost_by_reason
from cqrs_openobserve.notices import Notices
from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.payloads import SIGNALS, Payload, Signal
from cqrs_openobserve.spool import Spool
from cqrs_openobserve.spool_place import SpoolPlace
from cqrs_openobserve.transport import Transport

ADOPT_NS: Final = 30 * 10**9
HEALTH_NS: Final = 5 * 10**9


@final
@attrs.frozen
class Rules:
    """What an exporter keeps to.

    Attributes:
        max_retries: how often a live server may refuse one payload without explaining it.
        place: where its spool is.
        chance: gives random numbers from 0 to 1.
    """

    max_retries: int
    place: SpoolPlace
    chance: Callable[[], float]


@final
class Exporter:
    """Carries the items of one process's plan to the server and keeps the books.

    Args:
        plan: what there is to send.
        transport: reaches the server.
        rules: what it keeps to.
        clock: tells the time.

    Attributes:
        books: the lock around everything that counts; notified when something was settled.
        deliveries: what waits to be sent, by signal.
        intake: what waits to be encoded.
    """

    def __init__(self, plan: Plan, transport: Transport, rules: Rules, clock: Clock) -> None:
        self.books = threading.Condition()
        self.deliveries: dict[Signal, Delivery] = {
            signal: Delivery(rules.max_retries, rules.chance) for signal in SIGNALS
        }
        self.intake = Intake(plan, self.deliveries, self.books, clock)
        self._transport = transport
        self._clock = clock
        self._spool = Spool(rules.place)
        self._notices = Notices()
        self._adopt_at_ns = self._health_at_ns = 0
        self._skew_s: float | None = None
        self._turn = 0

    # --- what is asked from any thread

    def ledger(self) -> Books:
        """Read the books of every signal."""
        with self.books:
            return self.intake.read()

    def health(self, restarts: int) -> Health:
        """Say how it is.

        Args:
            restarts: threads that died and were replaced.
        """
        with self.books:
            outages: dict[str, str] = {
                signal: found.outage for signal, found in self.deliveries.items() if found.outage
            }
            spool, books = self._spool, self.intake.read()
            return Health(books, outages, self.trouble, spool.used, spool.problem, restarts, self._skew_s)

    def write_health(self, restarts: int, about: Mapping[str, object]) -> None:
        """Write down how it is, for ``cqrs doctor``; at most every five seconds, on the worker's thread.

        Args:
            restarts: threads that died and were replaced.
            about: whose it is.
        """
        now = self._clock.monotonic_ns()
        if self._spool.enabled and now >= self._health_at_ns:
            self._health_at_ns = now + HEALTH_NS
            written = {**about, "written_at_us": self._clock.time_ns() // 1000}
            self._spool.write_health(self.health(restarts).as_json(written))

    @property
    def trouble(self) -> str:
        """The last thing that went wrong and what to do about it, or empty."""
        return next((found.trouble for found in self.deliveries.values() if found.trouble), "")

    def is_busy(self) -> bool:
        """Whether something in memory is on its way."""
        return any(delivery.waiting for delivery in self.deliveries.values())

    def is_settled(self, sequences: dict[Signal, int]) -> bool:
        """Tell whether every payload up to some sequence numbers is settled; with the lock.

        Args:
            sequences: by signal.
        """
        return all(self.deliveries[signal].is_settled(last) for signal, last in sequences.items())

    def sequences(self) -> dict[Signal, int]:
        """Give the sequence number of each signal's last payload; with the lock."""
        return {signal: self.deliveries[signal].last_sequence for signal in SIGNALS}

    # --- the worker

    def work(self, *, force: bool = False) -> bool:
        """Do one round: adopt, encode what waits now, and spool what cannot be sent at once.

        Args:
            force: also run timers that are not due.

        Returns:
            Whether everything that waited at its beginning went through.
        """
        now = self._clock.monotonic_ns()
        self._adopt(now)
        complete = self.intake.take_in(self._make_room, force=force)
        self.park()
        with self.books:
            self.intake.adjust(spooling=self._spool.enabled)
        return complete

    def park(self, *, everything: bool = False) -> None:
        """Move to the spool what cannot be sent at once.

        Args:
            everything: also what could be, because the process ends.
        """
        if not self._spool.enabled:
            return
        for delivery in self.deliveries.values():
            with self.books:
                parcels = delivery.to_park(self._clock.monotonic_ns(), everything=everything)
            for parcel in parcels:
                if not self._park(delivery, parcel, last=everything):
                    break

    def _park(self, delivery: Delivery, parcel: Parcel, *, last: bool) -> bool:
        payload = parcel.payload
        if payload is None:
            return True
        file = self._spool.write(payload, self._wall(parcel.oldest_ns))
        with self.books:
            if isinstance(file, str):
                if last:
                    delivery.lost(parcel, file)
                return False
            needed = delivery.parked(parcel, file)
            self.books.notify_all()
        if not needed:
            self._spool.remove(file)
        return True

    def _make_room(self, signal: Signal) -> bool:
        delivery = self.deliveries[signal]
        if not delivery.room:
            self.park()
        return delivery.room

    def _adopt(self, now_ns: int) -> None:
        if not self._spool.enabled or now_ns < self._adopt_at_ns:
            return
        self._adopt_at_ns = now_ns + ADOPT_NS
        files = self._spool.adopt(self._clock.time_ns(), OLDEST_NS)
        with self.books:
            for signal, delivery in self.deliveries.items():
                delivery.adopt([file for file in files if file.signal == signal], now_ns)
            self.books.notify_all()

    # --- the sender

    def pick(self, *, hurry: frozenset[Signal] = frozenset()) -> Parcel | int | None:
        """Say what to send now, signal after signal in turn; with the lock.

        Args:
            hurry: signals that do not wait for their breaker.

        Returns:
            A parcel, or how long to wait in ns, or None if there is nothing.
        """
        waits: list[int] = []
        for step in range(len(SIGNALS)):
            signal = SIGNALS[(self._turn + step) % len(SIGNALS)]
            found = self.deliveries[signal].next(self._clock.monotonic_ns(), hurry=signal in hurry)
            if isinstance(found, Parcel):
                self._turn += step + 1
                return found
            waits += [] if found is None else [found]
        return min(waits, default=None)

    def send(self, parcel: Parcel) -> None:
        """Send one parcel and take note of the answer.

        Args:
            parcel: as ``pick`` gave it.
        """
        payload = parcel.payload or self._unspooled(parcel)
        if payload is None:
            return
        answer = self._transport.send(payload)
        if isinstance(answer, Answer):
            self._skew_s = skew_s(answer.headers.get("date", ""), self._now())
        meant = meaning(answer, payload.records, self._now(), otlp=payload.is_otlp)
        delivery = self.deliveries[payload.signal]
        with self.books:
            delivery.answered(parcel, payload, meant, self._clock.monotonic_ns())
            self.books.notify_all()
        self.tidy()
        self._tell(delivery)

    def _unspooled(self, parcel: Parcel) -> Payload | None:
        file = parcel.file
        payload = self._spool.read(file, parcel.oldest_ns) if file is not None else None
        if payload is None and file is not None:
            with self.books:
                self.deliveries[file.signal].lost(parcel, "spool_error")
                self.books.notify_all()
            self.tidy()
        return payload

    def tidy(self) -> None:
        """Remove files of what is settled; keep records that were refused."""
        for delivery in self.deliveries.values():
            with self.books:
                finished, delivery.finished = delivery.finished, []
                rejected, delivery.rejected = delivery.rejected, []
            for file in finished:
                self._spool.remove(file)
            for payload in rejected:
                self._spool.keep_rejected(payload, self._clock.time_ns())

    def _tell(self, delivery: Delivery) -> None:
        now = self._clock.monotonic_ns()
        with self.books:
            waiting, outage, trouble = delivery.waiting + delivery.spooled, delivery.outage, delivery.trouble
            lost = lost_by_reason(self.intake.read())
        self._notices.outage(outage, waiting, now)
        self._notices.spool(self._spool.problem, now)
        self._notices.dropped(lost, trouble, now)

    # --- the end

    def give_up(self, reason: Reason) -> None:
        """Drop what is neither settled nor in the spool.

        Args:
            reason: why.
        """
        with self.books:
            self.intake.give_up(reason)
            for delivery in self.deliveries.values():
                delivery.give_up(reason)
            self.books.notify_all()

    def close(self) -> None:
        """Let go of the spool, with a last word about how this process was."""
        self._spool.close()

    def abandoned(self) -> dict[Signal, int]:
        """Forget everything in a forked child, because it is the parent's; says how many records that were."""
        self._transport.abandon()
        self._spool.abandon()
        left = self.intake.abandoned()
        return {signal: left[signal] + self.deliveries[signal].waiting for signal in SIGNALS}

    # --- the time

    def _wall(self, monotonic_ns: int) -> int:
        return self._clock.time_ns() - self._clock.monotonic_ns() + monotonic_ns

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time_ns() / 1e9, UTC)
