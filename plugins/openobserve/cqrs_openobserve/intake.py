"""From queues through encoders to what waits to be sent, with every item in the books all the way."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import final

from cqrs.clock import Clock
from cqrs_openobserve.delivery import Delivery
from cqrs_openobserve.feeds import AnyFeed, Plan, Round, Timer
from cqrs_openobserve.ledger import Books, Reason, SignalLedger
from cqrs_openobserve.payloads import MOST_RECORDS, SIGNALS, Payload, Signal
from cqrs_openobserve.queues import AnyQueue
from cqrs_openobserve.records import Anchor


@final
class Intake:
    """Takes in what a plan's queues hold; one thread calls ``take_in``.

    Args:
        plan: queues, encoders and timers.
        deliveries: where payloads go, by signal.
        books: the lock around everything that counts.
        clock: tells the time.
    """

    def __init__(
        self, plan: Plan, deliveries: Mapping[Signal, Delivery], books: threading.Condition, clock: Clock
    ) -> None:
        self._plan = plan
        self._deliveries = deliveries
        self._books = books
        self._clock = clock
        self._holding: Counter[Signal] = Counter()
        self._over = False
        self._due: dict[int, int] = {}
        self._batch = 0

    def start(self, batch: int) -> None:
        """Let the queues wake the worker, which runs from now on.

        Args:
            batch: how many items wake it.
        """
        self._batch = batch
        for feed in self._plan.feeds:
            feed.queue.trigger = batch

    def take_in(self, make_room: Callable[[Signal], bool], *, force: bool) -> bool:
        """Encode what waits now, and run the timers that are due.

        Args:
            make_room: says whether a payload of a signal may be added, after it tried to make room.
            force: also run timers that are not due.

        Returns:
            Whether everything that waited at the beginning went through.
        """
        drained = [self._drain(feed, make_room) for feed in self._plan.feeds]
        for timer in self._plan.timers:
            self._run(timer, make_room, force=force)
        return all(drained)

    def _drain(self, feed: AnyFeed, make_room: Callable[[Signal], bool]) -> bool:
        until = feed.queue.mark()
        while not self._over and any(
            taken < mark for taken, mark in zip(feed.queue.taken, until, strict=True)
        ):
            if not make_room(feed.signal):
                return False
            with self._books:
                found = feed.next_round(MOST_RECORDS, self._anchor())
                self._deliveries[feed.signal].settled.accept(found.taken)
                self._holding[feed.signal] = found.taken
            self._encode(feed.signal, found)
        return True

    def _encode(self, signal: Signal, found: Round) -> None:
        try:
            for payload in found.payloads:
                self._add(payload, own=payload.signal == signal)
        finally:
            with self._books:
                if not self._over:
                    self._account(signal, found)
                self._books.notify_all()

    def _add(self, payload: Payload, *, own: bool) -> None:
        with self._books:
            if self._over:
                return
            delivery = self._deliveries[payload.signal]
            delivery.add(payload, self._clock.monotonic_ns())
            if own:
                self._holding[payload.signal] -= payload.records
            else:
                delivery.settled.accept(payload.records)
            self._books.notify_all()

    def _run(self, timer: Timer, make_room: Callable[[Signal], bool], *, force: bool) -> None:
        now_ns = self._clock.monotonic_ns()
        due = self._due.setdefault(id(timer), now_ns + round(timer.seconds * 1e9))
        if now_ns < due and not force:
            return
        self._due[id(timer)] = now_ns + round(timer.seconds * 1e9)
        for payload in timer.produce(self._anchor()):
            if make_room(payload.signal) or self._over:
                self._add(payload, own=False)
                continue
            with self._books:
                settled = self._deliveries[payload.signal].settled
                settled.accept(payload.records)
                settled.drop("queue_full", payload.records)

    # --- with the lock

    def _account(self, signal: Signal, found: Round) -> None:
        settled = self._deliveries[signal].settled
        for reason, items in found.account.dropped.items():
            settled.drop(reason, items)
        settled.accept(-found.account.skipped)
        left = self._holding[signal] - found.account.dropped.total() - found.account.skipped
        # An encoder that failed or forgot an item loses it as internal; one that made items up accepted them.
        settled.drop("internal", max(0, left))
        settled.accept(-min(0, left))
        self._holding[signal] = 0

    def is_drained(self) -> bool:
        """Whether nothing waits in a queue or an encoder; with the lock."""
        return not any(map(len, self.queues())) and not any(self._holding.values())

    def queues(self) -> list[AnyQueue]:
        """Every queue of the plan."""
        return [feed.queue for feed in self._plan.feeds]

    def adjust(self, *, spooling: bool) -> None:
        """Let fewer items wake the worker during an outage; with the lock.

        Args:
            spooling: whether what cannot be sent goes into the spool. Then half a batch does: with what comes until
                the file is written, kill -9 costs no more than one batch.
        """
        for feed in self._plan.feeds:
            halved = spooling and self._deliveries[feed.signal].breaker.open
            if feed.queue.trigger:  # else the worker is not started yet, or the queue is closed
                feed.queue.trigger = max(1, self._batch // 2) if halved else self._batch

    def give_up(self, reason: Reason) -> None:
        """Drop everything that waits to be encoded, or is being encoded, for good: what comes of it later is ignored.

        Args:
            reason: why.
        """
        self._over = True
        for feed in self._plan.feeds:
            left = feed.queue.forget()
            self._deliveries[feed.signal].settled.accept(left)
            self._deliveries[feed.signal].settled.drop(reason, left)
        for signal, delivery in self._deliveries.items():
            delivery.settled.drop(reason, self._holding[signal])
            self._holding[signal] = 0

    def abandoned(self) -> Counter[Signal]:
        """Empty every queue in a forked child; says how many items that were, by signal."""
        left = Counter(self._holding)
        for feed in self._plan.feeds:
            left[feed.signal] += len(feed.queue)
            feed.queue.reset()
        return left

    def read(self) -> Books:
        """Read the books of every signal."""
        return {signal: self._read(signal) for signal in SIGNALS}

    def _read(self, signal: Signal) -> SignalLedger:
        delivery = self._deliveries[signal]
        settled, dropped = delivery.settled, dict(delivery.settled.dropped)
        queued = full = late = 0
        for feed in self._plan.feeds:
            if feed.signal == signal:
                queued += len(feed.queue)
                full += feed.queue.full.value()
                late += feed.queue.late.value()
        of_queues: dict[Reason, int] = {"queue_full": full, "already_stopped": late}
        for reason, count in of_queues.items():
            if count:
                dropped[reason] = dropped.get(reason, 0) + count
        return SignalLedger(
            signal,
            accepted=settled.accepted + queued + full + late,
            delivered=settled.delivered,
            waiting=queued + self._holding[signal] + delivery.waiting,
            dropped=dropped,
            spooled=delivery.spooled,
            adopted=settled.adopted,
            ambiguous=settled.ambiguous,
        )

    def _anchor(self) -> Anchor:
        return Anchor(self._clock.time_ns(), self._clock.monotonic_ns())
