"""Carries what is observed to the server: queues → worker thread → payloads → sender thread ⇄ spool.

What is carried is told by ``plan.py``, and nothing here knows what a record looks like:

- A caller puts an item into a queue of ``Queues``: an append, no lock. What does not fit is counted there.
- The worker takes up to 1 000 items at once and calls the ``encode`` of their ``Feed``. An encoder turns them into
  ``Payload`` values and tells the batch's account about items that end in none: ``drop(reason)`` or ``skip()``. An item
  about which nothing is said is lost as ``internal``, so an encoder that forgets one is found out by the books.
- A ``Timer`` makes payloads at intervals, at a flush and at the end: metrics.
- A ``Payload`` is of one signal: ``Payload("traces", "/v1/traces", OTLP | {"stream-name": "traces"}, compressed(protobuf),
  records=spans, oldest_ns=…)``. ``json_payloads(stream, rows)`` makes those for logs-type streams, within their limits.
  Each signal has its own breaker and books, so metrics that are refused hold up no logs.

To carry something new: a queue in ``Queues``, its encoder, a ``Feed`` or ``Timer`` in ``plan_of``. Encoders live as long
as a process: after a fork ``plan_of`` is called again in the child, and queues are emptied in place.
"""

import os
import threading
from collections.abc import Callable
from random import Random
from typing import Final, final

from cqrs.clock import Clock, SystemClock
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.crew import Crew
from cqrs_openobserve.delivery import PATIENCE_NS
from cqrs_openobserve.exporter import Exporter, Rules
from cqrs_openobserve.health import Health
from cqrs_openobserve.ledger import Books, FlushReport, Reason, SignalLedger, flush_report
from cqrs_openobserve.lifecycle import finish_with_process, tell, watch
from cqrs_openobserve.notices import farewell, logger
from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.payloads import SIGNALS, Signal
from cqrs_openobserve.plan import Queues, plan_of
from cqrs_openobserve.service import new_instance
from cqrs_openobserve.transport import Transport

_RESERVE: Final = 0.25
_LONGEST_RESERVE_S: Final = 0.5
_LAST_WORDS_S: Final = 0.05


@final
class Pipeline:
    """Everything between an instrument and the server; used from any thread, bound to no event loop.

    Its two threads start with the first observation, and one that dies is replaced.

    Args:
        configuration: what to send where.
        transport: makes the connection; called once per process.
        clock: tells the time.

    Attributes:
        queues: where callers put what they observe.
        queue: the queue of dispatches.
    """

    def __init__(
        self, configuration: Configuration, transport: Callable[[], Transport], clock: Clock | None = None
    ) -> None:
        self._configuration = configuration
        self._new_transport = transport
        self._clock = clock or SystemClock()
        self.queues = Queues(self._woken)
        self.queue = self.queues.observations
        self._begin()
        watch(self)

    def _begin(self) -> None:
        settings = self._configuration.settings
        self._pid = os.getpid()
        self._wake = threading.Event()
        self._transport = self._new_transport()
        rules = Rules(settings.max_retries, self._configuration.spool, Random().random)  # noqa: S311  # jitter, not a secret
        instance = new_instance()
        plan = plan_of(self._configuration, self.queues, instance, self._clock.time_ns())
        self._about: dict[str, object] = {
            "pid": self._pid,
            "instance": instance,
            "service": self._configuration.service.name,
            "url": str(self._configuration.endpoint),
            "organization": self._configuration.organization,
        }
        self._exporter = Exporter(plan, self._transport, rules, self._clock)
        self._books = self._exporter.books
        self._crew = Crew({"sender": self._send, "worker": self._work}, self._failed)
        self._stop_at_ns: int | None = None
        self._stopped = self._starved = self._sender_done = False
        self._probes: dict[Signal, int] = {}
        self._rounds = self._flushed = self._wanted = self._unchecked = 0

    @property
    def trouble(self) -> str:
        """The last thing that went wrong and what to do about it, or empty."""
        return self._exporter.trouble

    def ledgers(self) -> Books:
        """Read the books of every signal."""
        return self._exporter.ledger()

    def ledger(self, signal: Signal = "logs") -> SignalLedger:
        """Read the books of one signal.

        Args:
            signal: ``logs``, ``metrics`` or ``traces``.
        """
        return self.ledgers()[signal]

    def start(self) -> None:
        """Start the threads now: when the interpreter ends, the first observation could not start them any more."""
        self._start_threads()

    def health(self) -> Health:
        """Say how it is, from what it knows already."""
        return self._exporter.health(self._crew.restarts)

    def flush(self, seconds: float) -> FlushReport:
        """Send what waits now and wait until all of it is settled.

        Args:
            seconds: how long at most.
        """
        began = self._clock.monotonic_ns()
        until = began + round(seconds * 1e9)
        before = self.ledgers()
        self._start_threads()
        with self._books:
            self._wanted = wanted = self._rounds + 1
            self._wake.set()
            complete = self._wait(until, lambda: self._stopped or self._flushed >= wanted)
            last = self._exporter.sequences()
            complete = complete and self._wait(until, lambda: self._exporter.is_settled(last))
        return flush_report(before, self.ledgers(), self._since(began), complete=complete)

    def stop(self) -> FlushReport:
        """Take nothing more, send what can be sent within the exit timeout, spool or count the rest; idempotent."""
        self._note_fork()
        began = self._clock.monotonic_ns()
        before = self.ledgers()
        with self._books:
            if self._stop_at_ns is not None:
                complete = not any(books.waiting for books in before.values())
                return flush_report(before, before, self._since(began), complete=complete)
            seconds = self._configuration.settings.exit_timeout / 1000
            spooling = self._configuration.spool.root is not None
            reserve = min(_RESERVE * seconds, _LONGEST_RESERVE_S) if spooling else _LAST_WORDS_S
            self._stop_at_ns = began + round(seconds * 1e9)
            deliveries = self._exporter.deliveries
            self._probes = {signal: 1 if deliveries[signal].breaker.open else 2 for signal in SIGNALS}
            self._wanted = self._rounds + 1
            for queue in self._exporter.intake.queues():
                queue.close()
            self._transport.limit(began / 1e9 + seconds - reserve)
            self._books.notify_all()
        self._wake.set()
        try:
            self._crew.join("sender", seconds - 0.8 * reserve)
            self._sender_done = True
            self._wake.set()
            self._crew.join("worker", seconds - self._since(began))
        finally:  # also when an impatient person interrupts it
            self._give_up()
        return flush_report(before, self.ledgers(), self._since(began), complete=True)

    def begin_anew(self) -> None:
        """Be a new pipeline in a forked child: what was waiting is the parent's to send."""
        stopped = self._stop_at_ns is not None
        left = self._exporter.abandoned()
        self._begin()
        for signal, records in left.items():
            settled = self._exporter.deliveries[signal].settled
            settled.accept(records)
            settled.drop("fork_discard", records)
        self._stopped, self._stop_at_ns = stopped, 0 if stopped else None

    # --- on a caller's thread

    def _woken(self) -> None:
        if self._unchecked > 0 and (self._starved or self._wake.is_set()) and os.getpid() == self._pid:
            self._unchecked -= 1  # the worker has been called; whether it lives is looked at now and then
            return
        self._unchecked = 64
        if os.getpid() != self._pid or not self._crew.complete:
            self._start_threads()
        elif not self._starved and not self._wake.is_set():
            self._wake.set()

    def _note_fork(self) -> None:
        if os.getpid() != self._pid:  # a fork in C, of which Python's hooks hear nothing
            self.begin_anew()

    def _start_threads(self) -> None:
        self._note_fork()
        if self._stop_at_ns is not None or self._crew.complete or not self._crew.start():
            return
        self._exporter.intake.start(self._configuration.settings.batch_size)
        finish_with_process()

    # --- on the worker's thread

    def _work(self) -> bool:
        ending = self._stop_at_ns is not None
        self._wake.wait(0.02 if ending else self._pause())
        self._wake.clear()
        with self._books:
            self._rounds += 1
            this, forced = self._rounds, self._wanted >= self._rounds
        complete = self._exporter.work(force=forced)
        with self._books:
            self._starved = not complete
            self._flushed = this if complete else self._flushed
            self._books.notify_all()
        self._exporter.write_health(self._crew.restarts, self._about)
        if not self._sender_done:
            return True
        self._exporter.park(everything=True)
        self._exporter.work()
        self._exporter.park(everything=True)
        return False

    def _pause(self) -> float:
        # Shorter while something is on its way: what the server does not take soon goes into the spool.
        interval = self._configuration.settings.flush_interval / 1000
        return min(interval, PATIENCE_NS / 1e9) if self._exporter.is_busy() else interval

    # --- on the sender's thread

    def _send(self) -> bool:
        with self._books:
            parcel = self._next()
        if not isinstance(parcel, Parcel):
            if not parcel:
                self._transport.close()
            return parcel
        self._exporter.send(parcel)
        if self._starved:
            self._starved = False
            self._wake.set()
        return True

    def _next(self) -> Parcel | bool:
        # A parcel to send now; else whether the thread goes on, after the wait that was due.
        if self._stopped:
            return False
        found = self._exporter.pick()
        if isinstance(found, Parcel):
            return found
        if self._stop_at_ns is None:
            self._books.wait(None if found is None else min(found / 1e9, 60.0))
            return True
        # The worker's last round also reads what is read at intervals.
        if found is None and not (self._flushed >= self._wanted and self._exporter.intake.is_drained()):
            self._books.wait(0.02)
            return True
        probed = self._probe() if found is not None else None
        self._sender_done = probed is None
        self._wake.set()
        return probed or False

    def _probe(self) -> Parcel | None:
        # The program ends: each signal is tried once more although its breaker is open.
        left: frozenset[Signal] = frozenset(signal for signal, probes in self._probes.items() if probes)
        found = self._exporter.pick(hurry=left)
        if not isinstance(found, Parcel):
            return None
        self._probes[found.signal] -= 1
        return found

    # --- with the lock

    def _wait(self, until_ns: int, done: Callable[[], bool]) -> bool:
        while not done():
            left = until_ns - self._clock.monotonic_ns()
            if left <= 0 or self._stopped:
                return False
            self._books.wait(left / 1e9)
        return True

    # --- the end

    def _since(self, began_ns: int) -> float:
        return (self._clock.monotonic_ns() - began_ns) / 1e9

    def _give_up(self) -> None:
        reason: Reason = "shutdown_timeout" if self._crew.started else "internal"
        self._exporter.give_up(reason)
        self._exporter.close()
        with self._books:
            self._stopped = self._sender_done = True
            self._books.notify_all()
        line = farewell(self.ledgers(), self.trouble)
        if line:
            tell(line)

    def _failed(self, error: BaseException) -> None:
        logger.error("A step of the telemetry pipeline failed; it goes on.", exc_info=error)
        with self._books:
            self._books.wait(0.1)
