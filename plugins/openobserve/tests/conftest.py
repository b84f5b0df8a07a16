"""What the tests of the plugin share: a server that misbehaves as told, a configuration for it, dispatches."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.observations import Observation, Subject
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plugin import pipeline_of
from cqrs_openobserve.testing import Behaviour, FaultServer, Received, Reply, stored

CANARY = "s3cret-canary"

Configure = Callable[..., Configuration]
MakePipeline = Callable[..., Pipeline]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server that stores everything until told otherwise."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def configure(server: FaultServer) -> Configure:
    """Reads settings, with the fault server as default."""

    def configure(**given: Any) -> Configuration:
        quiet = {"spool_dir": "none", "metrics_enabled": "false", "tracing_enabled": "false"}
        return read({}, {"url": server.url, "token": f"user:{CANARY}", **quiet, **given}).unwrap()

    return configure


@pytest.fixture
def make_pipeline(configure: Configure) -> Iterator[MakePipeline]:
    """Makes pipelines and stops them."""
    made: list[Pipeline] = []

    def make(**given: Any) -> Pipeline:
        pipeline = pipeline_of(configure(**({"flush_interval": "20ms", "exit_timeout": "1s"} | given)))
        made.append(pipeline)
        return pipeline

    yield make
    for pipeline in made:
        pipeline.stop()


@pytest.fixture
def observe() -> Callable[..., Observation]:
    """Makes an observation."""

    def observe(
        number: int = 1, *, kind: Any = "command", outcome: Any = "success", ended: int = 0
    ) -> Observation:
        subject = Subject(kind, "handled", "PlaceOrder", "shop.place_order")
        return (
            subject,
            outcome,
            ended or time.monotonic_ns(),
            1_000_000,
            number,
            number,
            None,
            number,
            7,
            0,
            False,
            None,
        )

    return observe


class Store:
    """As much of an OpenObserve as init and verify ask for, in memory, behind the fault server.

    Attributes:
        schemas: column types by stream.
        rows: records by stream.
        fails: answers that come instead, by method and end of the path.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, dict[str, str]] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.fails: dict[tuple[str, str], Behaviour] = {}

    def __call__(self, received: Received) -> Behaviour:
        """Answer one request."""
        path = received.path.partition("?")[0]
        for (method, end), behaviour in self.fails.items():
            if received.method == method and path.endswith(end):
                return behaviour
        if path.endswith("/_json"):
            return self._ingest(received)
        if path.endswith("/_search"):
            return self._search(json.loads(received.body)["query"]["sql"])
        if path.endswith("/schema"):
            return self._schema(path.split("/")[-2])
        return self._create(path.split("/")[-1], json.loads(received.body))

    def _create(self, name: str, body: dict[str, Any]) -> Reply:
        if name in self.schemas:
            return Reply(400, b'{"code":400,"message":"stream already exists"}')
        self.schemas[name] = {"_timestamp": "Int64"} | {
            field["name"]: field["type"] for field in body["fields"]
        }
        return Reply(200, b'{"code":200,"message":"stream created"}')

    def _schema(self, name: str) -> Reply:
        if name not in self.schemas:
            return Reply(404, b'{"code":404,"message":"stream not found"}')
        fields = [{"name": column, "type": kind} for column, kind in self.schemas[name].items()]
        return Reply(200, json.dumps({"name": name, "schema": fields}).encode())

    def _ingest(self, received: Received) -> Reply:
        types = {int: "Int64", float: "Float64", str: "Utf8", bool: "Boolean"}
        schema = self.schemas.setdefault(received.stream, {})
        for row in received.rows:
            for column, value in row.items():
                schema.setdefault(column, types[type(value)])
            self.rows.setdefault(received.stream, []).append(row)
        return stored(len(received.rows))

    def _search(self, sql: str) -> Reply:
        matched = re.fullmatch(r"SELECT \* FROM \"(\w+)\" WHERE correlation_id = '([0-9a-f]{32})'", sql)
        assert matched is not None, sql
        if matched[1] not in self.schemas:
            return Reply(400, b'{"code":20002,"message":"Search stream not found"}')
        hits = [row for row in self.rows.get(matched[1], []) if row["correlation_id"] == matched[2]]
        return Reply(200, json.dumps({"hits": hits, "total": len(hits), "is_partial": False}).encode())


@pytest.fixture
def store(server: FaultServer) -> Store:
    """Puts the store behind the server."""
    server.behave = found = Store()
    return found
