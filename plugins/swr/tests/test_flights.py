from typing import Any

import attrs
import pytest
from cqrs_swr.cached_query import cached_query, windows_of
from cqrs_swr.flights import Address, Flight
from cqrs_swr.settings import Settings
from returns.result import Failure, Success

from cqrs import Query
from cqrs.caching import CachePolicy
from cqrs.middleware import HandlerInfo


@attrs.frozen
class Numbers(Query[list[int], str]):
    """A query whose answer can be changed."""


class Opaque:
    """An answer that nobody can copy."""


@attrs.frozen
class Things(Query[Opaque, str]):
    """A query whose answer cannot be copied."""


def flight_of(query: Any) -> Flight:
    policy = CachePolicy(ttl=1)
    windows = windows_of(policy, Settings())
    assert windows is not None
    info = HandlerInfo("query", type(query), "Q", "handler", "shop.py:1")
    return Flight(Address(cached_query(info, None, policy, windows), query, (), ()), "miss", 0.0)  # type: ignore[arg-type]  # nothing is dispatched


@pytest.mark.parametrize(
    "result", [Success("text"), Success((1, 2)), Failure("no"), Failure(["no"])], ids=str
)
async def test_what_nobody_can_change_is_given_to_all(result: Any) -> None:
    """The very same, and a failure as well."""
    flight = flight_of(Numbers())
    flight.land(result, None)

    assert [flight.take() is result for _ in range(3)] == [True] * 3


async def test_what_can_be_changed_is_given_to_one_and_copied_for_the_others() -> None:
    """None of them sees what another does to it (C25)."""
    flight = flight_of(Numbers())
    flight.waiters = 3
    flight.land(Success([1]), None)
    first, second, third = (flight.take() for _ in range(3))
    assert first is not None
    first.unwrap().append(2)

    assert (second, third) == (Success([1]), Success([1]))
    assert second is not third


async def test_what_cannot_be_copied_is_given_to_one() -> None:
    """The others see for themselves."""
    flight = flight_of(Things())
    flight.waiters = 2
    flight.land(Success(Opaque()), None)

    assert flight.take() is not None
    assert flight.take() is None


async def test_a_flight_that_was_given_up_gives_nothing() -> None:
    """Whoever waited sees for itself."""
    flight = flight_of(Numbers())
    flight.done.set()

    assert flight.take() is None
