from typing import Any

import anyio
import attrs
import pytest
from cqrs_swr.running import Running
from cqrs_swr.settings import Settings
from cqrs_swr.state import State
from returns.result import Failure, Result, Success

from cqrs import Instrument, Query
from cqrs.caching import CachePolicy
from cqrs.middleware import HandlerInfo


async def test_a_command_that_succeeds_makes_answers_invalid(open_shop: Any) -> None:
    """Before its caller has the result; one that fails makes nothing invalid."""

    def declare(feature: Any) -> None:
        feature.invalidates(place, tags=lambda _command, order: (f"order:{order}",))

    async with open_shop() as shop:
        place = shop.Place
    async with open_shop(invalidates=declare) as shop:
        await shop.find(1)
        await shop.app.commands.execute(shop.Place(0))
        assert await shop.status() == "fresh"
        await shop.app.commands.execute(shop.Place(1))
        assert await shop.find(1) == Success("answer 2")


async def test_tags_that_cannot_be_told_make_everything_invalid(open_shop: Any, caplog: Any) -> None:
    """Too much is right, too little is not; it is said with its traceback."""

    def declare(feature: Any) -> None:
        feature.invalidates(place, tags=lambda _command, _order: 1 / 0)

    async with open_shop() as shop:
        place = shop.Place
    async with open_shop(invalidates=declare) as shop:
        await shop.find(2)
        assert await shop.app.commands.execute(shop.Place(1)) == Success(1)
        assert await shop.find(2) == Success("answer 2")

    assert any(
        record.exc_info and "everything is invalid" in record.getMessage() for record in caplog.records
    )


class Stranger:
    """Of no kind that a key can be made of."""


@attrs.frozen
class Odd(Query[str, str]):
    """A query with a field that no key can be made of."""

    stranger: Stranger


async def handle(_query: Any) -> Result[str, str]:
    return Success("answer")


@pytest.mark.parametrize(
    ("policy", "wrapped", "problems"),
    [
        (None, False, 0),
        (CachePolicy(), False, 0),
        (CachePolicy(ttl=0), False, 0),
        (CachePolicy(ttl=1), False, 1),
    ],
)
def test_what_cannot_be_cached_is_left_as_it_is(
    policy: Any, wrapped: object, problems: int, caplog: Any
) -> None:
    """The pipeline is the same object; what the policy asks for in vain is said with class, field and fix."""
    running = Running(State(Settings()))
    next: Any = handle
    info = HandlerInfo("query", Odd, "Odd", "handle", "shop.py:1", cache=policy)

    assert (running.caching(next, info) is not next) is wrapped
    assert len(running.problems) == problems
    if problems:
        assert "Odd.stranger" in caplog.text
        assert "Leave the field out of equality" in caplog.text


async def test_what_makes_nothing_invalid_is_left_as_it_is() -> None:
    """The pipeline is the same object."""
    running = Running(State(Settings()))
    next: Any = handle

    assert running.invalidating(next, HandlerInfo("command", Odd, "Odd", "handle", "shop.py:1")) is next


async def test_a_setting_fills_what_a_policy_does_not_say(open_shop: Any) -> None:
    """A policy without a ttl is none, unless the settings have one; what is said wins."""
    async with open_shop(ttl=None, given={"ttl": 5.0, "stale": 7.0}) as shop:
        windows = shop.state.queries[shop.Find].windows
        assert (windows.ttl, windows.stale, windows.fail_safe) == (5.0, 7.0, 0.0)
    async with open_shop(ttl=9, stale=0, given={"ttl": 5.0, "stale": 7.0}) as shop:
        windows = shop.state.queries[shop.Find].windows
        assert (windows.ttl, windows.stale) == (9, 0)


@pytest.mark.parametrize("subscribers", [0, 1, 2])
@pytest.mark.parametrize("succeeds", [True, False])
async def test_an_event_makes_answers_invalid_once_per_publish(
    open_shop: Any, subscribers: int, succeeds: object
) -> None:
    """After its deliveries ended, whatever they answered, and before publish returns; it needs no subscriber."""
    seen: list[str] = []

    def declare(feature: Any) -> None:
        feature.invalidates(placed, tags=lambda event: (f"order:{event.order}",))
        for number in range(subscribers):

            @feature.subscribes(placed, name=f"subscriber {number}")
            async def hear(_event: Any) -> Result[None, str]:
                seen.append(await shops[0].status())
                return Success(None) if succeeds else Failure("no")

    async with open_shop() as shop:
        placed = shop.Placed
    shops: list[Any] = []
    async with open_shop(invalidates=declare) as shop:
        shops.append(shop)
        await shop.find(1)
        await shop.app.events.publish(placed(2))
        assert await shop.status() == "fresh"
        seen.clear()
        await shop.app.events.publish(placed(1))
        assert seen == ["fresh"] * subscribers
        assert await shop.find(1) == Success("answer 2")
        assert shop.cache.stats().invalidations == {"expire": 2}


async def test_instruments_hear_of_what_the_cache_asks_on_its_own_account(open_shop: Any, clock: Any) -> None:
    """Query, trigger, outcome, duration and how many waited; a look-up that waits is a dispatch that they see anyway."""
    told: list[Any] = []

    class Hearing(Instrument):
        def refreshed(self, details: Any, /) -> None:
            told.append((details.handler.message_type, details.trigger, details.outcome))

    async with open_shop(stale=60, instruments=(Hearing(),)) as shop:
        await shop.find()
        assert told == []
        clock.advance(30)
        await shop.find()
        for _ in range(20):
            await anyio.lowlevel.checkpoint()

    assert told == [("Find", "stale", "success")]
