import math
from pathlib import Path
from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Command, CompositionError, Event, Feature, Query
from cqrs.cache_declarations import invalidations, policies
from cqrs.caching import PRINCIPAL, TENANT, EmptyCache, QueryCache
from cqrs.problems import Code, Problem
from cqrs.registry import register

HERE = f"{Path('tests') / Path(__file__).name}"
ALL = {"command": True, "query": True, "event": True}


@attrs.frozen
class Find(Query[str, str]):
    """A query."""

    order: int


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class PlaceGift(Place):
    """A command of a subclass."""


@attrs.frozen
class Placed(Event):
    """An event."""


async def find(query: Find) -> Result[str, str]:
    return Success(f"order {query.order}") if query.order else Failure("no such order")


async def place(_command: Place) -> Result[int, str]:
    return Success(1)


def lines_with(text: str) -> list[int]:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if text in line and "lines_with" not in line]


def problems_of(feature: Feature) -> list[Problem]:
    """What is wrong with a feature's declarations of caching."""
    problems: list[Problem] = []
    policies(feature.cachings, problems)
    invalidations(feature.invalidatings, problems)
    return problems


def test_what_was_declared_is_known_of_the_handler() -> None:
    """A query's handler has the policy, a command's what it makes invalid, its own and that of its base."""
    feature = Feature("orders")
    feature.handles(Find)(find)
    feature.handles(PlaceGift)(place)
    feature.caches(Find, ttl=30, scope=PRINCIPAL, tags=lambda query: (f"order:{query.order}",))
    feature.invalidates(Place, queries=(Find,))
    feature.invalidates(PlaceGift, tags=lambda _command, order: (f"order:{order}",), mode="remove")

    registry = register((feature,), ALL)

    assert registry.problems == ()
    cache = registry.handlers[Find].info.cache
    assert cache is not None
    assert (cache.ttl, cache.stale, cache.scope) == (30, None, PRINCIPAL)
    assert cache.tags is not None
    assert list(cache.tags(Find(7))) == ["order:7"]
    own, inherited = registry.handlers[PlaceGift].info.invalidates
    assert (own.mode, own.tags and list(own.tags(PlaceGift(), 7))) == ("remove", ["order:7"])
    assert (inherited.queries, inherited.mode) == ((Find,), "expire")


def test_what_an_event_makes_invalid_is_known_by_its_class() -> None:
    """Events need no subscriber for it."""
    feature = Feature("orders")
    feature.invalidates(Placed, queries=(Find,))

    (invalidation,) = register((feature,), ALL).invalidations[Placed]

    assert invalidation.queries == (Find,)


def test_a_handler_without_declarations_has_none() -> None:
    """A query without a policy is not cached, whatever is installed."""
    feature = Feature("orders")
    feature.handles(Find)(find)

    info = register((feature,), ALL).handlers[Find].info

    assert (info.cache, info.invalidates) == (None, ())


def test_the_scope_is_the_tenant_unless_it_is_said() -> None:
    """Nobody shares with other tenants by accident."""
    feature = Feature("orders")
    feature.caches(Find, ttl=30)

    assert feature.cachings[0].policy.scope is TENANT


def test_a_policy_that_cannot_be_kept_is_told_with_its_place() -> None:
    """Each number that is wrong is a problem that names the query and the line of the declaration."""
    feature = Feature("orders")
    feature.caches(Find, ttl=-1, stale=math.nan)  # both are wrong

    told = problems_of(feature)

    place = f"{HERE}:{lines_with('# both are wrong')[0]}"
    assert [(p.code, p.place) for p in told] == [(Code.CACHE_POLICY, place)] * 2
    assert all("test_cache_declarations.Find cannot be kept" in p.text for p in told)


def test_a_second_policy_is_a_problem_that_names_both_places() -> None:
    """Nothing wins silently."""
    feature = Feature("orders")
    feature.caches(Find, ttl=1)  # the first
    feature.caches(Find, ttl=2)  # the second

    (problem,) = problems_of(feature)

    assert problem.code is Code.DUPLICATE_CACHE_POLICY
    assert f"the first stands at {HERE}:{lines_with('# the first')[0]}." in problem.text
    assert problem.place == f"{HERE}:{lines_with('# the second')[0]}"


def wrong(declare: Any) -> Any:
    return pytest.param(declare, id=declare.__name__)


def a_policy_of_a_command(feature: Any) -> None:
    feature.caches(Place, ttl=1)


def a_policy_of_something_else(feature: Any) -> None:
    feature.caches(Path, ttl=1)


def an_invalidation_by_a_query(feature: Any) -> None:
    feature.invalidates(Find, queries=(Find,))


def an_invalidation_of_a_command(feature: Any) -> None:
    feature.invalidates(Placed, queries=(Place,))


def an_invalidation_of_nothing(feature: Any) -> None:
    feature.invalidates(Placed)


@pytest.mark.parametrize(
    "declare",
    [
        wrong(a_policy_of_a_command),
        wrong(a_policy_of_something_else),
        wrong(an_invalidation_by_a_query),
        wrong(an_invalidation_of_a_command),
        wrong(an_invalidation_of_nothing),
    ],
)
def test_messages_of_the_wrong_kind_are_problems(declare: Any) -> None:
    """Only queries are cached, only commands and events make something invalid, and they say what."""
    feature = Feature("orders")
    declare(feature)

    assert [problem.code for problem in problems_of(feature)] == [Code.WRONG_KIND]


async def test_an_app_with_a_wrong_policy_does_not_start(compose_app: Any) -> None:
    """It is found with everything else that is wrong, by starting and by checking."""
    feature = Feature("orders")
    feature.handles(Find)(find)
    feature.caches(Find, ttl=math.nan)
    app = compose_app(feature)

    assert [problem.code for problem in app.check().failure()] == [Code.CACHE_POLICY]
    with pytest.raises(CompositionError, match="ttl=nan"):
        async with app:
            pass


async def test_without_a_plugin_declarations_change_nothing(compose_app: Any) -> None:
    """Every call reaches the handler, and the cache that is injected holds nothing."""
    calls: list[Any] = []
    feature = Feature("orders")
    feature.caches(Find, ttl=30, stale=300, tags=lambda query: (f"order:{query.order}",))
    feature.invalidates(Place, queries=(Find,))
    feature.handles(Place)(place)

    @feature.handles(Find)
    async def counted(query: Find, *, cache: QueryCache) -> Result[str, str]:
        calls.append(cache)
        return await find(query)

    async with compose_app(feature) as bus:
        assert await bus.queries.execute(Find(1)) == Success("order 1")
        assert await bus.queries.execute(Find(1)) == Success("order 1")
        assert await bus.commands.execute(Place()) == Success(1)

    assert [type(cache) for cache in calls] == [EmptyCache, EmptyCache]
