"""Breaks a rule on purpose, in a stream of its own: whether the rule's query fires, and whether its channel hears of it."""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, final

import attrs

from cqrs_openobserve.answers import Answer, Trouble, counts_of, meaning
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.json_values import mapping
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.apply import Step
from cqrs_openobserve.provision.messages import DESTINATION
from cqrs_openobserve.provision.server import (
    Server,
    content,
    encoded,
    not_yet,
    refusal,
    rows_of,
    second_version,
    succeeded,
)
from cqrs_openobserve.provision.streams import Stream, all_streams

_PAUSE_S: Final = 0.1
_PASSING: Final = frozenset({408, 425, 429})
_MOST_SHOWN: Final = 200


@final
class Rehearsal:
    """One rule, broken on purpose; what it made on the server is removed at the end.

    Args:
        rule: it needs an example.
        configuration: names the organisation.
        server: with full credentials.
        timeout_s: how long to wait for each thing, in seconds.
        sleep: waits, in seconds.
    """

    def __init__(
        self,
        rule: AlertRule,
        configuration: Configuration,
        server: Server,
        *,
        timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        name = f"{rule.stream}_probe_{secrets.token_hex(4)}"
        sql = _over(rule.sql, rule.stream, name)
        self._rule = attrs.evolve(rule, name=f"{rule.name}_probe", stream=name, sql=sql)
        self._of = rule
        self._configuration = configuration
        self._server = server
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._key = ""

    def run(self, *, notify: bool) -> Iterator[Step]:
        """Break it, and wait.

        Args:
            notify: whether the channel gets messages: one by hand, and one when the server has evaluated the rule.

        Yields:
            What was seen, step by step; the first that failed is the last, but for what could not be removed.
        """
        left: list[Step] = []
        try:
            yield from self._stages(notify=notify)
        finally:
            left = self._tidy()
        yield from left

    def _stages(self, *, notify: bool) -> Iterator[Step]:
        for stage in (self._break, self._fires, *((self._reaches, self._is_evaluated) if notify else ())):
            step = stage()
            yield step
            if not step.ok:
                return

    def _break(self) -> Step:
        kind = next((s for s in all_streams(self._configuration) if s.name == self._of.stream), None)
        columns = kind.columns if kind else ()
        creation = Stream(self._rule.stream, "command", columns).creation()
        answer = self._server.call("POST", f"/streams/{self._rule.stream}", {"type": "logs"}, creation)
        if not succeeded(answer):
            return self._failed(answer)
        now = time.time_ns() // 1000
        rows = [{**row, "_timestamp": now - at} for at, row in enumerate(self._rule.example)]
        answer = self._server.call("POST", f"/{self._rule.stream}/_json", None, encoded(rows))
        if not succeeded(answer) or counts_of(content(answer)) is None:
            return self._failed(answer)
        meant = meaning(answer, len(rows), datetime.now(UTC))
        if meant.delivered != len(rows):
            return Step("alert", self._of.name, "failed", meant.text, meant.hint)
        return self._step("created", f"{len(rows)} records that break it, in the stream {self._rule.stream}")

    def _fires(self) -> Step:
        began = time.monotonic()
        while True:
            answer = self._search()
            hits = rows_of(answer)
            if hits:
                said = _written(self._rule.row, mapping(hits[0]))
                return self._step("fires", f"after {_ms(began)} ms: {said}")
            late = time.monotonic() - began > self._timeout_s
            if hits is None and not not_yet(answer) and (late or not _may_pass(answer)):
                return self._failed(answer)
            if late:
                text = f"its query gave no row within {self._timeout_s:g} s"
                return Step(
                    "alert", self._of.name, "failed", text, "run its SQL by hand: what does it answer?"
                )
            self._sleep(_PAUSE_S)

    def _reaches(self) -> Step:
        answer = self._second("POST", "/alerts", encoded(self._rule.body([DESTINATION])))
        self._key = str(mapping(content(answer)).get("id") or "")
        if not self._key:
            return attrs.evolve(
                self._failed(answer), hint="run cqrs openobserve init first: it makes the channel."
            )
        answer = self._second("PATCH", f"/alerts/{self._key}/trigger")
        if not succeeded(answer):
            return attrs.evolve(
                self._failed(answer), hint="check CQRS_ALERT_CHANNEL, and whether the server may reach it."
            )
        return self._step(
            "reached", f"the channel took a message ({self._configuration.settings.alert_channel})"
        )

    def _is_evaluated(self) -> Step:
        began = time.monotonic()
        while time.monotonic() - began <= self._timeout_s:
            found = mapping(content(self._second("GET", f"/alerts/{self._key}")))
            if found.get("last_satisfied_at"):
                return self._step("evaluated", f"the server fired it by itself after {_ms(began)} ms")
            self._sleep(_PAUSE_S)
        text = f"the server did not evaluate it within {self._timeout_s:g} s"
        return Step(
            "alert",
            self._of.name,
            "failed",
            text,
            "raise --timeout; GET /schedulez says whether it has a scheduler.",
        )

    def _tidy(self) -> list[Step]:
        answers: dict[str, Answer | Trouble] = {}
        if self._key:
            answers[f"alert {self._rule.name}"] = self._second("DELETE", f"/alerts/{self._key}")
        everything = {"type": "logs", "delete_all": "true"}
        stream = f"stream {self._rule.stream}"
        answers[stream] = self._server.call("DELETE", f"/streams/{self._rule.stream}", everything)
        return [self._left(what, answer) for what, answer in answers.items() if not _gone(answer)]

    def _left(self, what: str, answer: Answer | Trouble) -> Step:
        text = f"the {what} could not be removed: {refusal(self._configuration, answer).text}"
        return Step("alert", self._of.name, "failed", text, "remove it by hand.")

    def _search(self) -> Answer | Trouble:
        now = time.time_ns() // 1000
        window = {"start_time": now - self._rule.period * 60_000_000, "end_time": now + 60_000_000}
        query = {"sql": self._rule.sql, "from": 0, "size": 10, **window}
        return self._server.call(
            "POST", "/_search", {"type": "logs", "use_cache": "false"}, encoded({"query": query})
        )

    def _second(self, method: str, path: str, body: bytes = b"") -> Answer | Trouble:
        return self._server.ask(method, second_version(self._configuration, path), None, body)

    def _step(self, did: str, text: str) -> Step:
        return Step("alert", self._of.name, did, text)

    def _failed(self, answer: Answer | Trouble) -> Step:
        refused = refusal(self._configuration, answer)
        return Step("alert", self._of.name, "failed", refused.text, refused.hint)


def _over(sql: str, stream: str, other: str) -> str:
    """The same query over another stream; texts and columns that have the stream's name stay what they are."""
    name = rf'"?\b{re.escape(stream)}\b"?'
    parts = re.compile(
        rf"(?P<text>'(?:[^']|'')*')|(?P<lead>\b(?:FROM|JOIN)\s+){name}|{name}(?=\s*\.)", re.IGNORECASE
    )
    return parts.sub(lambda found: found["text"] or f'{found["lead"] or ""}"{other}"', sql)


def _may_pass(answer: Answer | Trouble) -> bool:
    return isinstance(answer, Trouble) or answer.status in _PASSING or answer.status >= 500


def _gone(answer: Answer | Trouble) -> bool:
    return succeeded(answer) or (isinstance(answer, Answer) and answer.status == 404)


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _written(template: str, row: Mapping[str, object]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(row.get(found[1], found[0])), template)[:_MOST_SHOWN]
