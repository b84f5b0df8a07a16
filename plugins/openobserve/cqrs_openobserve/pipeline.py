"""Carries observations from callers to the server: lanes → worker thread → payloads → sender thread."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import final

from cqrs.clock import Clock, SystemClock
from cqrs_openobserve.answers import meaning
from cqrs_openobserve.batches import MOST_RECORDS, compressed, payloads
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.delivery import Delivery, Payload, Transport
from cqrs_openobserve.ledger import FlushReport, Reason, SignalLedger, difference
from cqrs_openobserve.lifecycle import Supervised, finish_with_process, tell, watch
from cqrs_openobserve.notices import Notices, farewell, logger
from cqrs_openobserve.observations import ObservationQueue
from cqrs_openobserve.records import Anchor, RowBuilder
from cqrs_openobserve.service import new_instance


@final
class Pipeline:
    """Everything between an instrument and the server; used from any thread, bound to no event loop.

    Its two threads start with the first observation. One lock guards the books; callers never take it.

    Args:
        configuration: what to send where.
        transport: makes the connection; called once per process.
        clock: tells the time.

    Attributes:
        queue: where instruments put observations.
    """

    def __init__(
        self, configuration: Configuration, transport: Callable[[], Transport], clock: Clock | None = None
    ) -> None:
        self._configuration = configuration
        self._new_transport = transport
        self._clock = clock or SystemClock()
        self.queue = ObservationQueue(self._woken)
        self._begin()
        watch(self)

    def _begin(self) -> None:
        settings = self._configuration.settings
        self._pid = os.getpid()
        self._books = threading.Condition()
        self._wake = threading.Event()
        self._delivery = Delivery(settings.max_retries, Random().random)  # noqa: S311  # jitter, not a secret
        self._rows = RowBuilder(self._configuration.service, new_instance())
        self._notices = Notices()
        self._transport = self._new_transport()
        self._threads: list[Supervised] = []
        self._stop_at_ns: int | None = None
        self._stopped = self._starved = self._hopeless = False
        self._probes = self._drained = self._holding = 0
        self._added = (0, 0)

    @property
    def trouble(self) -> str:
        """The last thing that went wrong and what to do about it, or empty."""
        return self._delivery.trouble

    def ledger(self) -> SignalLedger:
        """Read the books."""
        with self._books:
            return self._read()

    def flush(self, seconds: float) -> FlushReport:
        """Send what waits now and wait until all of it is settled.

        Args:
            seconds: how long at most.
        """
        began = self._clock.monotonic_ns()
        until = began + round(seconds * 1e9)
        self._start_threads()
        with self._books:
            before = self._read()
            rest, successes = self.queue.mark()
            self._wake.set()
            complete = self._wait(until, lambda: self._added[0] >= rest and self._added[1] >= successes)
            last = self._delivery.last_sequence
            complete = complete and self._wait(until, lambda: self._delivery.is_settled(last))
            return self._report(before, began, complete=complete)

    def stop(self) -> FlushReport:
        """Take nothing more, send what can be sent within the exit timeout, count the rest; idempotent."""
        self._note_fork()
        began = self._clock.monotonic_ns()
        with self._books:
            before = self._read()
            if self._stop_at_ns is not None:
                return self._report(before, began, complete=not before.waiting)
            seconds = self._configuration.settings.exit_timeout / 1000
            self._stop_at_ns = began + round(seconds * 1e9)
            self._probes = 1 if self._delivery.breaker.open else 2
            self.queue.close()
            self._transport.limit(began / 1e9 + seconds - 0.05)
            self._books.notify_all()
        self._wake.set()
        try:
            for thread in self._threads:
                thread.join((self._stop_at_ns - self._clock.monotonic_ns()) / 1e9)
        finally:
            self._give_up()
        with self._books:
            report = self._report(before, began, complete=True)
            books, trouble = self._read(), self._delivery.trouble
        if books.lost:
            tell(farewell(books, trouble))
        return report

    def begin_anew(self) -> None:
        """Be a new pipeline in a forked child: what was waiting is the parent's to send."""
        stopped = self._stop_at_ns is not None
        waiting = len(self.queue) + self._holding + self._delivery.waiting
        self._transport.abandon()
        self.queue.reset()
        self._begin()
        self._drained = waiting
        self._delivery.settled.drop("fork_discard", waiting)
        self._stopped, self._stop_at_ns = stopped, 0 if stopped else None

    # --- on a caller's thread

    def _woken(self) -> None:
        if len(self._threads) < 2 or os.getpid() != self._pid:
            self._start_threads()
        elif not self._starved and not self._wake.is_set():
            self._wake.set()

    def _note_fork(self) -> None:
        if os.getpid() != self._pid:  # a fork in C, of which Python's hooks hear nothing
            self.begin_anew()

    def _start_threads(self) -> None:
        self._note_fork()
        with self._books:
            if len(self._threads) == 2 or self._stop_at_ns is not None:
                return
            self.queue.trigger = self._configuration.settings.batch_size
            for name, step in (("sender", self._send), ("worker", self._work))[len(self._threads) :]:
                thread = Supervised(f"cqrs-openobserve-{name}", step, self._failed)
                try:
                    thread.start()
                except (
                    RuntimeError
                ):  # no more threads, or the interpreter is ending: the next wake tries again
                    return
                self._threads.append(thread)
        finish_with_process()

    # --- on the worker's thread

    def _work(self) -> bool:
        stopping = self._stop_at_ns is not None
        self._wake.wait(0.02 if stopping else self._configuration.settings.flush_interval / 1000)
        self._wake.clear()
        while self._encode():
            pass
        with self._books:
            return self._stop_at_ns is None or not (self._hopeless or not len(self.queue))

    def _encode(self) -> bool:
        with self._books:
            self._starved = not self._delivery.room
            taken = [] if self._starved else self.queue.take(MOST_RECORDS)
            self._drained += len(taken)
            self._holding = len(taken)
        anchor = Anchor(self._clock.time_ns(), self._clock.monotonic_ns())
        for payload in payloads(taken, self._configuration.streams, self._rows, anchor):
            with self._books:
                self._delivery.add(payload)
                self._holding -= len(payload)
                self._books.notify_all()
        with self._books:
            self._added = self.queue.taken
            self._books.notify_all()
        return bool(taken)

    # --- on the sender's thread

    def _send(self) -> bool:
        with self._books:
            payload = self._next()
        if not isinstance(payload, Payload):
            if not payload:
                self._transport.close()
            return payload
        answer = self._transport.ingest(payload.stream, payload.body or compressed(payload.rows))
        meant = meaning(answer, len(payload), datetime.now(UTC))
        with self._books:
            now = self._clock.monotonic_ns()
            self._delivery.answered(payload, meant, now)
            books, outage = self._read(), self._delivery.outage
            self._books.notify_all()
        if self._starved:
            self._starved = False
            self._wake.set()
        self._notices.outage(outage, books.waiting, now)
        self._notices.dropped(books.dropped, self._delivery.trouble, now)
        return True

    def _next(self) -> Payload | bool:
        # A payload to send now; else whether the thread goes on, after the wait that was due.
        found = self._delivery.next(self._clock.monotonic_ns())
        if isinstance(found, Payload):
            return found
        if self._stop_at_ns is None:
            self._books.wait(None if found is None else min(found / 1e9, 60.0))
            return True
        if found is None:
            if self._is_drained():
                return False
            self._books.wait(0.02)
            return True
        if self._probes:
            self._probes -= 1
            hurried = self._delivery.next(self._clock.monotonic_ns(), hurry=True)
            return hurried if isinstance(hurried, Payload) else True
        self._hopeless = True
        return False

    # --- with the lock

    def _is_drained(self) -> bool:
        return not len(self.queue) and not self._holding

    def _read(self) -> SignalLedger:
        queued, full, late = len(self.queue), self.queue.full.value(), self.queue.late.value()
        dropped = dict(self._delivery.settled.dropped)
        of_queue: dict[Reason, int] = {"queue_full": full, "already_stopped": late}
        dropped |= {reason: count for reason, count in of_queue.items() if count}
        return SignalLedger(
            "logs",
            accepted=self._drained + queued + full + late,
            delivered=self._delivery.settled.delivered,
            waiting=queued + self._holding + self._delivery.waiting,
            dropped=dropped,
        )

    def _wait(self, until_ns: int, done: Callable[[], bool]) -> bool:
        while not done():
            left = until_ns - self._clock.monotonic_ns()
            if left <= 0 or self._stopped:
                return False
            self._books.wait(left / 1e9)
        return True

    def _report(self, before: SignalLedger, began_ns: int, *, complete: bool) -> FlushReport:
        after = self._read()
        return FlushReport(
            complete,
            after.delivered - before.delivered,
            after.waiting,
            difference(before, after),
            (self._clock.monotonic_ns() - began_ns) / 1e9,
        )

    # --- the end

    def _give_up(self) -> None:
        reason: Reason = "shutdown_timeout" if len(self._threads) == 2 else "internal"
        with self._books:
            left = self.queue.forget()
            self._drained += left
            self._delivery.settled.drop(reason, left + self._holding)
            self._holding = 0
            self._delivery.give_up(reason)
            self._stopped = self._hopeless = True
            self._books.notify_all()

    def _failed(self, error: BaseException) -> None:
        with self._books:
            self._delivery.settled.drop("internal", self._holding)
            self._holding = 0
            self._added = self.queue.taken
            self._books.wait(0.1)
        logger.error("A step of the telemetry pipeline failed; it goes on.", exc_info=error)
