"""Proves an installation: probes through the pipeline of production, read back by SQL with fields and types."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, final

from cqrs.clock import Clock, SystemClock
from cqrs_openobserve.answers import Answer, Trouble, meaning, skew_s
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor import streams
from cqrs_openobserve.doctor.server import Asking
from cqrs_openobserve.doctor.signals import off
from cqrs_openobserve.doctor.streams import StreamFacts
from cqrs_openobserve.json_values import mapping
from cqrs_openobserve.payloads import SIGNALS
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.server import admin_hint, not_yet, rows_of
from cqrs_openobserve.verify import causes
from cqrs_openobserve.verify.findings import Finding
from cqrs_openobserve.verify.installation import check_provisioning, check_server, made_streams
from cqrs_openobserve.verify.probes import Probe, Row, new_identity, offer, probes_of
from cqrs_openobserve.verify.witness import Witness

Progress = Callable[[int, int], None]

_PAUSE_S: Final = 0.05
# What is asked before the first probe and after the last one, altogether.
_CHECKS_S: Final = 60.0


@final
class Verification:
    """Checks what has to be there, sends a probe of every signal and reads each back.

    Args:
        configuration: what to prove.
        timeout_s: how long to wait for the probes, in seconds.
        rules: alerts of the user's own, beside ours.
        progress: told how many of how many probes are still waited for.
        clock: tells the time.
        sleep: waits, in seconds.

    Attributes:
        identity: of the probes.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        timeout_s: float,
        rules: Sequence[AlertRule] = (),
        progress: Progress = lambda _waiting, _of: None,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._configuration = configuration
        self._timeout_s = timeout_s
        self._rules = rules
        self._progress = progress
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._skew_s: float | None = None
        self.identity = new_identity()

    def run(self) -> Iterator[Finding]:
        """Prove everything.

        Yields:
            Each finding as soon as it is made.
        """
        configuration = self._configuration
        sender = client_of(configuration, configuration.credentials)
        admin = client_of(configuration, configuration.admin)
        for client in (sender, admin):
            client.limit(self._clock.monotonic_ns() / 1e9 + self._timeout_s + _CHECKS_S)
        try:
            found, sensible = check_server(configuration, sender, admin, self._now())
            yield from found
            if not sensible:
                return
            there = streams.look(configuration, admin, self._clock.time_ns())
            yield from check_provisioning(configuration, there, admin, self._rules)
            yield from self._switches()
            # A probe that is late proves nothing, so none is spooled.
            witness = Witness(client_of(configuration, configuration.credentials))
            pipeline = Pipeline(configuration.without_spool(), lambda: witness, self._clock)
            try:
                yield from self._prove(pipeline, witness, admin, there)
            finally:
                pipeline.stop()
        finally:
            sender.close()
            admin.close()

    def _switches(self) -> Iterator[Finding]:
        for signal in SIGNALS:
            found = off(self._configuration.settings, signal)
            if found is not None:
                yield Finding(signal, signal, "missed", found.text, f"{found.fix}.")

    def _prove(
        self, pipeline: Pipeline, witness: Witness, admin: Asking, there: StreamFacts
    ) -> Iterator[Finding]:
        configuration, identity = self._configuration, self.identity
        pending = [probe for probe in probes_of(configuration, identity) if self._is_due(probe, there)]
        count, rows = len(pending), dict[str, Row]()
        began = self._clock.monotonic_ns()
        offer(configuration, pipeline.queues, identity, self._clock, {probe.stream for probe in pending})
        flushing = threading.Thread(target=pipeline.flush, args=(self._timeout_s,), daemon=True)
        flushing.start()
        while pending and self._since(began) < self._timeout_s:
            for probe in list(pending):
                finding = self._looked_for(probe, witness, admin, began, rows)
                if finding is not None:
                    pending.remove(probe)
                    yield finding
            self._progress(len(pending), count)
            if pending:
                self._sleep(_PAUSE_S)
        for probe in pending:
            yield self._given_up(probe, witness, admin)
        yield from self._correlation(rows)

    def _is_due(self, probe: Probe, there: StreamFacts) -> bool:
        # The server would make a stream for it, but not the one that alerts and dashboards need.
        names = there.names["logs"]
        made = probe.type == "logs" and probe.stream in made_streams(self._configuration)
        missing = made and names is not None and probe.stream not in names
        return not missing and off(self._configuration.settings, probe.signal) is None

    def _looked_for(
        self, probe: Probe, witness: Witness, admin: Asking, began: int, rows: dict[str, Row]
    ) -> Finding | None:
        seen = witness.seen.get(probe.path)
        if seen is None or not (seen.delivered or seen.final):
            return None
        if not seen.delivered:
            known = causes.Known(seen, skew_s=self._skew_s)
            return _missed(probe, *causes.undelivered(known))
        if causes.named_otherwise(probe, causes.Known(seen)):
            return _missed(probe, *causes.not_found(probe, causes.Known(seen)))
        answer = self._asked(probe, admin)
        found = [] if not_yet(answer) else rows_of(answer)
        if found is None:
            return self._refused(probe, answer)
        if not found:
            return None
        row = mapping(found[0])
        rows[probe.stream if probe.type == "logs" else probe.signal] = row
        return _judged(probe, row, self._since(began) * 1000)

    def _asked(self, probe: Probe, admin: Asking) -> Answer | Trouble:
        query = {"type": probe.type, "use_cache": "false"}
        answer = admin.call("POST", "/_search", query, streams.search(probe.sql, self._clock.time_ns()))
        if isinstance(answer, Answer):
            self._skew_s = skew_s(answer.headers.get("date", ""), self._now())
        return answer

    def _refused(self, probe: Probe, answer: Answer | Trouble) -> Finding:
        meant = meaning(answer, 1, self._now())
        unauthorised = isinstance(answer, Answer) and answer.status in {401, 403}
        cause = admin_hint(self._configuration) if unauthorised else meant.hint
        text = f"the probe was stored but cannot be read back: {meant.text or 'the answer is partial'}"
        return _missed(probe, text, cause or "look into the server's own log.")

    def _given_up(self, probe: Probe, witness: Witness, admin: Asking) -> Finding:
        seen = witness.seen.get(probe.path)
        if seen is None or not seen.delivered:
            return _missed(probe, *causes.undelivered(causes.Known(seen, skew_s=self._skew_s)))
        listed = admin.call("GET", "/streams", {"type": probe.type, "fetchSchema": "false"})
        known = causes.Known(seen, streams.names_of(listed), self._skew_s)
        return _missed(probe, *causes.not_found(probe, known))

    def _correlation(self, rows: Mapping[str, Row]) -> Iterator[Finding]:
        record, span = rows.get(self._configuration.streams["command"]), rows.get("traces")
        if record is None or span is None:
            return
        wrong = [name for name in ("trace_id", "span_id") if record.get(name) != span.get(name)]
        if wrong:
            text = f"the record and the span of the probe differ in {', '.join(wrong)}"
            cause = "something on the way changes ids: a pipeline or a function of the server."
            yield Finding("correlation", "traces", "missed", text, cause)
        else:
            text = "the record and the span of the probe have the same trace and span ids"
            yield Finding("correlation", "traces", "proven", text)

    def _since(self, began_ns: int) -> float:
        return (self._clock.monotonic_ns() - began_ns) / 1e9

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time_ns() / 1e9, UTC)


def _missed(probe: Probe, text: str, cause: str) -> Finding:
    return Finding(probe.signal, probe.stream, "missed", text, cause)


def _judged(probe: Probe, row: Row, milliseconds: float) -> Finding:
    flaw = probe.flaw(row)
    if flaw:
        return _missed(probe, *causes.came_back_wrong(flaw))
    text = f"read back after {milliseconds:.0f} ms {probe.said}"
    return Finding(probe.signal, probe.stream, "proven", text, delay_ms=round(milliseconds, 1))
