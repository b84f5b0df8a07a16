"""What the tests of the plugin share: a server that misbehaves as told, a configuration for it, dispatches."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.observations import Observation, Subject
from cqrs_openobserve.pipeline import Pipeline
from cqrs_openobserve.plugin import pipeline_of
from cqrs_openobserve.testing import FaultServer

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
        return read({}, {"url": server.url, "token": f"user:{CANARY}", **given}).unwrap()

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
        import time

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
            None,
            None,
            None,
        )

    return observe
