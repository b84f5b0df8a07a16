"""`just shots`: the page of the local server in headless Chromium, checked and photographed.

Starts a server with an hour of made-up records, spans and metrics, posts the three dashboards and the alert
rules that `cqrs openobserve init` posts, opens every view, and writes pictures to docs/images. Ends with 1 if a
panel has no data, a link leads nowhere, the console shows an error or anything else than the server is asked.
"""

import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

sys.path.insert(0, str(Path(__file__).parent))

import httpx
from browser import Page, browser
from cqrs_local import LocalServer
from cqrs_local.listener import bind
from cqrs_openobserve.provision.alerts import rules
from cqrs_openobserve.provision.boards import dashboards
from cqrs_openobserve.provision.queries import StreamNames
from cqrs_swr.freshness import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from cqrs.caching import HITS

IMAGES = Path(__file__).parent / "images"
NAMES = StreamNames("cqrs_commands", "cqrs_queries", "cqrs_events", "cqrs_metrics")
SECOND = 1_000_000
HOUR = 3600 * SECOND
READY = "document.body?.dataset.ready === 'true'"
# How the query cache answers, every status that it notes, and how often it does here.
CACHE = {"fresh": 48, "negative": 4, "stale": 14, "stale_error": 3, "miss": 20, "collapsed": 6, "bypass": 5}
TYPES = {
    "command": ["PlaceOrder", "CancelOrder", "ShipOrder", "ChangeAddress"],
    "query": ["FindOrder", "ListOrders", "StockOf"],
    "event": ["OrderPlaced", "OrderShipped"],
}


class Failed(Exception):  # noqa: N818 - ends the run
    """A check that did not hold."""


def records(kind: str, now: int, chance: random.Random) -> list[dict[str, object]]:
    """An hour of records of one kind, one every few seconds."""
    found: list[dict[str, object]] = []
    for at in range(now - HOUR + 20 * SECOND, now, SECOND):
        name = chance.choice(TYPES[kind])
        outcome = chance.choices(["success", "rejected", "error"], [90, 6, 4])[0]
        trace = f"{chance.getrandbits(128):032x}"
        row: dict[str, object] = {
            "record": "handled", "kind": kind, "message_type": name, "handler": f"orders.{name}", "outcome": outcome,
            "level": "ERROR" if outcome == "error" else "INFO", "message": f"{kind} {name}: {outcome}",
            "duration_ms": round(chance.lognormvariate(2.6, 0.9), 3), "retry_count": chance.choices([0, 1, 2], [94, 5, 1])[0],
            "service_name": "orders", "trace_id": trace, "span_id": trace[:16], "_timestamp": at,
            "message_id": f"{chance.getrandbits(64):016x}", "correlation_id": f"{chance.getrandbits(64):016x}",
        }  # fmt: skip
        if outcome == "error":
            row["error_type"] = chance.choice(["HandlerCrashed", "TimedOut", "ConnectionRefused"])
        if kind == "query":
            status = chance.choices([*CACHE], [*CACHE.values()])[0]
            row |= {"cache_status": status, "cache_hit": status in HITS}
            if status in HITS:
                row["cache_age_ms"] = round(chance.expovariate(1 / 9000), 1)
        if kind == "event":
            row["subscriber"] = chance.choice(["send-receipt", "update-statistics"])
            found.append({**row, "record": "published", "subscribers": 2})
            if chance.random() < 0.01 or at > now - 2 * SECOND:
                found.append({**row, "record": "dead_letter", "outcome": "error"})
        found.append(row)
    return found


def spans(row: dict[str, Any], chance: random.Random) -> bytes:
    """A trace of a command that queries and publishes."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "orders"
    made = resource.scope_spans.add().spans
    start = row["_timestamp"] * 1000
    plan = [("command PlaceOrder", None, 0, 42), ("query StockOf", 0, 3, 9), ("sqlite SELECT", 1, 5, 4), ("event OrderPlaced", 0, 16, 24),
            ("deliver send-receipt", 3, 18, 13), ("deliver update-statistics", 3, 18, 6)]  # fmt: skip
    ids = [bytes.fromhex(row["span_id"]), *(chance.randbytes(8) for _ in plan[1:])]
    for (name, parent, offset, length), span_id in zip(plan, ids, strict=True):
        span = made.add(trace_id=bytes.fromhex(row["trace_id"]), span_id=span_id, name=name, kind=1)
        span.start_time_unix_nano = start + offset * 1_000_000
        span.end_time_unix_nano = span.start_time_unix_nano + length * 1_000_000
        if parent is not None:
            span.parent_span_id = ids[parent]
        if name == "deliver send-receipt":
            span.status.code, span.status.message = 2, "mailbox full"
    return request.SerializeToString()


def snapshots(now: int) -> list[dict[str, object]]:
    """Depth and age of dead letters over the hour."""
    shared = {
        "record": "snapshot",
        "metric_type": "gauge",
        "service_name": "orders",
        "service_instance_id": "a1",
    }
    found: list[dict[str, object]] = []
    for minute in range(59, -1, -1):
        depth = max(0, 12 - abs(30 - minute))
        for name, value in (("depth", float(depth)), ("oldest_age", depth * 17.0)):
            found.append(
                {
                    **shared,
                    "metric_name": f"cqrs.dead_letter.{name}",
                    "metric_value": value,
                    "_timestamp": now - minute * 60 * SECOND,
                }
            )
    return found  # fmt: skip


async def fill(http: httpx.AsyncClient) -> dict[str, Any]:
    """Everything that the page shows; the record whose trace has spans."""
    import time

    chance, now = random.Random(7), time.time_ns() // 1000
    last: dict[str, Any] = {}
    for kind, stream in (("command", NAMES.commands), ("query", NAMES.queries), ("event", NAMES.events)):
        rows = records(kind, now, chance)
        if kind == "command":
            last = next(
                r for r in reversed(rows) if (r["outcome"], r["message_type"]) == ("success", "PlaceOrder")
            )
        await http.post(f"/api/default/{stream}/_json", content=json.dumps(rows))
    await http.post(f"/api/default/{NAMES.metrics}/_json", content=json.dumps(snapshots(now)))
    headers = {"content-type": "application/x-protobuf"}
    await http.post("/api/default/v1/traces", content=spans(last, chance), headers=headers)
    for board in dashboards(NAMES):
        (await http.post("/api/default/dashboards", json=board.body())).raise_for_status()
    template = {"name": "cqrs", "type": "http", "body": '{"text": "{alert_name} {rows}"}'}
    await http.post("/api/default/alerts/templates", json=template)
    hook = {
        "name": "hook",
        "type": "http",
        "url": f"{http.base_url}/healthz",
        "method": "get",
        "template": "cqrs",
    }
    (await http.post("/api/default/alerts/destinations", json=hook)).raise_for_status()
    for rule in rules(NAMES):
        (await http.post("/api/v2/default/alerts", json=rule.body(["hook"]))).raise_for_status()
    return last


async def opened(page: Page, view: str) -> None:
    """Show a view and wait for it."""
    await page.run(
        f"document.body.dataset.ready = 'false'; location.hash = '#{view}'; dispatchEvent(new Event('hashchange'))"
    )
    await page.until(READY)


async def check(claim: str, holds: object) -> None:
    """Say what was looked at; end if it does not hold."""
    print(f"{'ok  ' if holds else 'FAIL'} {claim}")
    if not holds:
        raise Failed(claim)


async def boards(page: Page) -> None:
    """Every panel of every dashboard has data; then its picture."""
    await check("the made-up records have every status of the cache", set(CACHE) == set(get_args(Status)))
    ids = await page.run(
        "[...document.querySelectorAll('#board option')].map((option) => [option.value, option.textContent])"
    )
    await check("three dashboards are listed", len(ids) == 3)
    for key, title in ids:
        await opened(page, f"dashboards/{key}")
        states = await page.run(
            "[...document.querySelectorAll('.panel')].map((panel) => [panel.ariaLabel, panel.dataset.state])"
        )
        without = [label for label, state in states if state != "data"]
        await check(f"{title}: {len(states)} panels have data {without or ''}", states and not without)
        await page.shot(IMAGES / f"{title.lower().replace(' ', '-')}.png", whole=True)


async def controls(page: Page) -> None:
    """Variables, time range, theme, keys."""
    first = "document.querySelector('.panel .figure').textContent"
    everything = await page.run(first)
    await page.run(
        "{ const input = document.querySelector('input[name=message_type]'); input.value = 'OrderPl%'; input.dispatchEvent(new Event('change')); document.body.dataset.ready = 'false' }"
    )
    await page.until(READY)
    await check("a variable leaves out what it does not name", await page.run(first) != everything)
    await page.run(
        "{ const input = document.querySelector('input[name=message_type]'); input.value = '%'; input.dispatchEvent(new Event('change')); document.body.dataset.ready = 'false' }"
    )
    await page.until(READY)
    await page.run(
        "{ const range = document.getElementById('range'); range.value = '900'; range.dispatchEvent(new Event('change')); document.body.dataset.ready = 'false' }"
    )
    await page.until(READY)
    await check("a shorter time range has fewer messages", await page.run(first) != everything)
    await page.run(
        "{ const range = document.getElementById('range'); range.value = '3600'; range.dispatchEvent(new Event('change')) }"
    )
    await page.run("dispatchEvent(new KeyboardEvent('keydown', { key: '2' }))")
    await page.until("location.hash === '#alerts'")
    await page.until(READY)


async def follow(page: Page, http: httpx.AsyncClient) -> None:
    """A record that arrives while somebody looks."""
    await page.run("document.getElementById('follow').click()")
    late = [{"message": "a late record", "level": "INFO"}]
    await http.post(f"/api/default/{NAMES.commands}/_json", json=late)
    await page.until("document.body.textContent.includes('a late record')")
    await check("a new record appears by itself", holds=True)
    await page.run("document.getElementById('follow').click()")
    await page.until(READY)


async def views(page: Page, http: httpx.AsyncClient, record: dict[str, Any]) -> None:
    """Alerts, logs, a trace from a line of the log, the search box."""
    await opened(page, "alerts")
    await page.until(
        "document.querySelectorAll('[data-state=waiting]').length === 0 || (dispatchEvent(new KeyboardEvent('keydown', { key: 'r' })), false)"
    )
    states = await page.run("[...document.querySelectorAll('article')].map((card) => card.dataset.state)")
    await check(
        f"six alert rules have been evaluated: {states}",
        len(states) == 6 and set(states) == {"firing", "quiet"},
    )
    await page.shot(IMAGES / "alerts.png")
    await opened(page, "logs")
    await page.shot(IMAGES / "logs.png")
    await follow(page, http)
    link = f'a[href="#trace/{record["trace_id"]}"]'
    await check(
        "a line of the log links to its trace", await page.run(f"document.querySelector('{link}') !== null")
    )
    await page.run(f"document.body.dataset.ready = 'false'; document.querySelector('{link}').click()")
    await page.until(READY)
    await check(
        "its trace has six spans", await page.run("document.querySelectorAll('#waterfall .span').length") == 6
    )
    await page.shot(IMAGES / "trace.png")
    await opened(page, "sql")
    await check(
        "the search box has rows", await page.run("document.querySelectorAll('tbody tr').length") > 10
    )
    await page.shot(IMAGES / "sql.png")
    await opened(page, "traces")
    await check("the traces are listed", await page.run("document.querySelectorAll('tbody tr').length") == 1)


async def narrow_and_dark(page: Page) -> None:
    """The same on a telephone, and in the dark."""
    await page.run(
        "document.documentElement.dataset.theme === 'dark' || document.getElementById('theme').click()"
    )
    await opened(page, "dashboards")
    await page.shot(IMAGES / "dark.png")
    await check(
        "the page is dark",
        await page.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 30)",
    )
    await page.run("document.getElementById('theme').click()")
    await page.size(390, 844)
    await opened(page, "dashboards")
    await check("nothing is wider than 390 px", await page.run("document.documentElement.scrollWidth") <= 390)
    await page.shot(IMAGES / "narrow.png")


async def look(url: str, http: httpx.AsyncClient, record: dict[str, Any]) -> None:
    """Everything, in one tab."""
    IMAGES.mkdir(exist_ok=True)
    steps: list[Callable[[Page], Any]] = [
        boards,
        controls,
        lambda page: views(page, http, record),
        narrow_and_dark,
    ]
    async with browser() as page:
        await page.size(1280, 900)
        await page.go(url.replace("/#", "/?theme=light#"))
        await page.until(READY)
        for step in steps:
            await step(page)
        await check(f"the console shows no error {page.errors or ''}", not page.errors)
        await check(f"nothing else than the server is asked {page.foreign or ''}", not page.foreign)


async def main() -> int:
    """Run it."""
    with tempfile.TemporaryDirectory() as folder:
        server = LocalServer(Path(folder) / "data")
        await server.open()
        try:
            async with server.listening(bind("127.0.0.1", 0)):
                user, _, secret = server.token.partition(":")
                async with httpx.AsyncClient(base_url=server.url, auth=(user, secret), timeout=60) as http:
                    await look(server.page, http, await fill(http))
        except Failed:
            return 1
        finally:
            await server.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
