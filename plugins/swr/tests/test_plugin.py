import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs
import pytest
from cqrs_swr import Settings, Swr
from cqrs_swr.plugin import plugin
from returns.result import Result, Success

from cqrs import CqrsModule, Feature, Query
from cqrs.caching import SHARED, EmptyCache, QueryCache
from cqrs.problems import Code


@attrs.frozen
class Find(Query[str, str]):
    """A query."""

    order: int


def feature(calls: list[Any]) -> Feature:
    """One cached query."""
    orders = Feature("orders")

    @orders.handles(Find)
    async def find(query: Find) -> Result[str, str]:
        calls.append(query)
        return Success(f"order {query.order}")

    orders.caches(Find, ttl=30, scope=SHARED)
    return orders


def test_the_plugin_is_found_by_its_entry_point() -> None:
    """Installing it is all."""
    (found,) = [point for point in entry_points(group="cqrs.plugins") if point.name == "swr"]

    assert isinstance(found.load()(), Swr)
    assert (plugin().name, repr(Swr(ttl=5.0))) == ("swr", "Swr(ttl)")


async def test_an_app_with_the_plugin_caches_and_without_it_does_not() -> None:
    """Nothing else changes."""
    for plugins, executions, cache in (((Swr(),), 1, False), ((), 3, True)):
        calls: list[Any] = []
        async with CqrsModule.for_root(feature(calls), plugins=plugins, env={}) as bus:
            for _ in range(3):
                assert await bus.queries.execute(Find(1)) == Success("order 1")
            assert isinstance(bus.container.resolve(QueryCache), EmptyCache) is cache
        assert len(calls) == executions


async def test_the_plugin_can_be_switched_off() -> None:
    """Then it stands down, and says why."""
    calls: list[Any] = []
    app = CqrsModule.for_root(feature(calls), plugins=(Swr(),), env={"CQRS_SWR_ENABLED": "false"})
    async with app as bus:
        await bus.queries.execute(Find(1))
        await bus.queries.execute(Find(1))
        (described,) = app.plugins

    assert (described.state, described.reason) == ("off", "CQRS_SWR_ENABLED is off")
    assert len(calls) == 2


async def test_an_app_may_be_entered_again() -> None:
    """With a cache that holds nothing of before."""
    calls: list[Any] = []
    app = CqrsModule.for_root(feature(calls), plugins=(Swr(),), env={})
    for _ in range(2):
        async with app as bus:
            await bus.queries.execute(Find(1))
            await bus.queries.execute(Find(1))

    assert len(calls) == 2


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"CQRS_SWR_TTL": "-1"}, "CQRS_SWR_TTL"),
        ({"CQRS_SWR_TTL": "nan"}, "CQRS_SWR_TTL"),
        ({"CQRS_SWR_STALE": "soon"}, "CQRS_SWR_STALE"),
        ({"CQRS_SWR_DIR": "relative/path"}, "CQRS_SWR_DIR"),
        ({"CQRS_SWR_SIZE_LIMIT": "10"}, "CQRS_SWR_SIZE_LIMIT"),
        ({"CQRS_SWR_ENABLED": "maybe"}, "CQRS_SWR_ENABLED"),
    ],
)
async def test_a_setting_that_cannot_be_used_costs_the_plugin_not_the_app(
    env: dict[str, str], named: str
) -> None:
    """It is named; queries go to their handlers."""
    calls: list[Any] = []
    app = CqrsModule.for_root(feature(calls), plugins=(Swr(),), env=env)
    async with app as bus:
        assert await bus.queries.execute(Find(1)) == Success("order 1")
        (described,) = app.plugins

    assert described.state == "failed"
    assert named in described.reason


def test_a_folder_that_must_not_be_used_is_found_when_the_app_is_checked(tmp_path: Path) -> None:
    """Others could write into it, so it is refused, with the fix (H4)."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    app = CqrsModule.for_root(feature([]), plugins=(Swr(dir=shared),), env={}, strict=True)

    (problem,) = app.check().failure()

    assert problem.code is Code.PLUGIN_FAILED
    assert "can be written by others than its owner" in problem.text


def test_an_app_that_shares_nothing_loads_no_database() -> None:
    """Importing the plugin is cheap; pickle comes with diskcache, and only where a folder is set."""
    code = "import sys, cqrs_swr; print('diskcache' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed == "False\n"
    assert Settings().dir is None
