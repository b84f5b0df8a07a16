"""Evaluating alerts: when they are due, in the background, one after the other."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final, cast

from cqrs_local.alert_messages import Occasion, Rows, text_for
from cqrs_local.alert_states import Evaluation, fires, is_due, most_rows, state_after, window
from cqrs_local.answers import Answer, RefusedError
from cqrs_local.backend import Backend
from cqrs_local.documents import Document
from cqrs_local.search import rows_of
from cqrs_local.search_answers import Search
from cqrs_local.templates import KIND as TEMPLATES
from cqrs_local.webhook import Message, send

logger: Final = logging.getLogger("cqrs_local")

Send = Callable[[Message], str]


class Schedule:
    """Evaluates what is due, every few seconds."""

    def __init__(self, backend: Backend, seconds: float, deliver: Send = send) -> None:
        """Nothing runs until `start`.

        Args:
            backend: the open server.
            seconds: pause between two looks at what is due.
            deliver: sends a message; blocks.
        """
        self._backend = backend
        self._seconds = seconds
        self._deliver = deliver
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="cqrs-local-alerts")

    async def stop(self) -> None:
        """End; what is being evaluated is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self.run_due()
            except Exception:
                logger.exception("the alerts could not be evaluated; they are tried again")

    async def run_due(self) -> None:
        """Evaluate every alert that is due now."""
        documents = self._backend.documents
        for org, key, alert in documents.everywhere("alerts"):
            now = self._backend.store.now()
            rule = cast("Mapping[str, object]", alert["rule"])
            state = documents.get(org, "alert_states", key) or {}
            if not is_due(rule, state, now):
                continue
            done = await self._evaluate(org, key, rule, now)
            if documents.get(org, "alerts", key) is not None:
                documents.put(org, "alert_states", key, state_after(rule, state, done))

    async def _evaluate(self, org: str, key: str, rule: Mapping[str, object], now: int) -> Evaluation:
        start, end = window(rule, now)
        sql = cast("str", cast("Mapping[str, object]", rule["query_condition"])["sql"])
        asked = Search(sql, start, end, size=most_rows(rule))
        try:
            rows = await rows_of(asked, org, cast("str", rule["stream_type"]), self._backend)
        except RefusedError as refused:
            rows = refused.answer
        if isinstance(rows, Answer):
            logger.warning("alert %s cannot be evaluated: %s", rule["name"], rows.body.decode()[:500])
            return Evaluation(now, error=rows.body.decode()[:2000])
        if not fires(rule, len(rows)):
            return Evaluation(now, rows)
        problems = await notify(self._backend, org, (key, rule), rows, self._deliver)
        for problem in problems:
            logger.warning("alert %s fired and was not delivered: %s", rule["name"], problem)
        return Evaluation(now, rows, fired=True, error="; ".join(problems), delivered=not problems)


async def notify(
    backend: Backend, org: str, alert: tuple[str, Mapping[str, object]], rows: Rows, deliver: Send = send
) -> list[str]:
    """Send an alert to each of its destinations.

    Args:
        backend: the open server.
        org: organisation.
        alert: id and rule.
        rows: what its query returned.
        deliver: sends a message; blocks.

    Returns:
        What went wrong, by destination.
    """
    key, rule = alert
    now = backend.store.now()
    start, end = window(rule, now)
    occasion = Occasion(org, rule, rows, start, end, now, f"{backend.place.url}/#alerts/{key}")
    problems: list[str] = []
    for name in cast("list[str]", rule["destinations"]):
        destination = backend.documents.get(org, "destinations", name) or {}
        template = backend.documents.get(org, TEMPLATES, str(destination.get("template", "")))
        if template is None:
            problems.append(f"destination {name} has no template")
            continue
        message = _message(destination, text_for(str(template["body"]), occasion))
        if problem := await asyncio.to_thread(deliver, message):
            problems.append(f"destination {name} err: {problem}")
    return problems


def _message(destination: Document, body: str) -> Message:
    return Message(
        url=str(destination["url"]),
        method=str(destination["method"]),
        headers=cast("Mapping[str, str]", destination["headers"]),
        body=body,
        verify=destination["skip_tls_verify"] is not True,
    )
