import threading
from typing import Any

import anyio
import pytest
from cqrs_swr.testing import SteppedClock
from returns.result import Failure, Success

from cqrs import Refused
from cqrs.caching import BYPASS, ONLY_IF_CACHED, REFRESH, TENANT, NotCached, max_age


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


async def test_an_answer_is_computed_once_while_it_is_fresh(open_shop: Any, clock: SteppedClock) -> None:
    """The handler runs again when its time is over, to the instant."""
    async with open_shop() as shop:
        assert [await shop.status() for _ in range(3)] == ["miss", "fresh", "fresh"]
        clock.advance(29.75)
        assert await shop.status() == "fresh"
        clock.advance(0.25)
        assert await shop.status() == "miss"
        assert len(shop.executions) == 2


async def test_a_stale_answer_is_served_at_once_and_refreshed_behind(
    open_shop: Any, clock: SteppedClock
) -> None:
    """Nobody waits for the refresh; the next look-up has its answer."""
    async with open_shop(stale=300) as shop:
        await shop.find()
        clock.advance(30)
        shop.gate = anyio.Event()
        assert await shop.find() == Success("answer 1")
        assert await shop.find() == Success("answer 1")
        await settled()
        shop.gate.set()
        await settled()

        assert await shop.find() == Success("answer 2")
        assert len(shop.executions) == 2
        assert shop.cache.stats().lookups == {"miss": 1, "stale": 2, "fresh": 1}


async def test_a_refresh_that_fails_changes_nothing_but_the_wait(open_shop: Any, clock: SteppedClock) -> None:
    """The old answer is served on, and the next refresh starts after the back-off, which doubles (C16)."""
    async with open_shop(stale=300, backoff=(8.0, 64.0)) as shop:
        await shop.find()
        clock.advance(30)
        shop.failing()
        counts = []
        for _ in range(24):
            assert await shop.find() == Success("answer 1")
            await settled()
            counts.append(len(shop.executions))
            clock.advance(1)

        assert counts[0] == 2
        assert 3 <= counts[-1] <= 5
        assert shop.cache.stats().failing == 1


async def test_in_the_error_window_a_failure_is_answered_with_what_was(
    open_shop: Any, clock: SteppedClock
) -> None:
    """It waits for a new answer first; a correct no is the new answer, and nothing older comes back."""
    async with open_shop(fail_safe=600) as shop:
        await shop.find()
        clock.advance(30)
        shop.failing()
        assert await shop.find() == Success("answer 1")
        assert await shop.status() == "stale_error"
        clock.advance(100)
        shop.failing(shop.NoOrder())
        assert await shop.find() == Failure(shop.NoOrder())
        shop.failing()
        assert await shop.find() == Failure(shop.Unreachable())


async def test_a_soft_timeout_answers_before_the_flight_ends(open_shop: Any, clock: SteppedClock) -> None:
    """Whoever could get an old answer does not wait for longer; what was started goes on."""
    async with open_shop(fail_safe=600, soft_timeout=0.05) as shop:
        await shop.find()
        clock.advance(30)
        shop.gate = anyio.Event()
        assert await shop.find() == Success("answer 1")
        shop.gate.set()
        await settled()

        assert await shop.find() == Success("answer 2")


async def test_a_listed_failure_is_kept_for_its_time(open_shop: Any, clock: SteppedClock) -> None:
    """And no longer: it has neither a stale nor an error window."""
    async with open_shop(stale=300, fail_safe=300, negative={KeyError: 5}) as shop:
        shop.failing(KeyError("no"))
        first = await shop.find()
        assert await shop.status() == "negative"
        assert await shop.find() is first
        clock.advance(5)
        assert await shop.status() == "miss"


@pytest.mark.parametrize("seconds", [0, 0.0])
async def test_ttl_0_is_no_caching_at_all(open_shop: Any, seconds: float) -> None:
    """Every call runs the handler, and the pipeline is as if there were no plugin (I4)."""
    async with open_shop(ttl=seconds) as shop:
        for _ in range(5):
            await shop.find()

        assert len(shop.executions) == 5
        assert shop.state.queries == {}
        assert shop.cache.stats().lookups == {}


async def test_ttl_may_depend_on_the_value(open_shop: Any, clock: SteppedClock) -> None:
    """0 keeps this one not; a time that is none is said and keeps nothing."""
    times = {"answer 1": 0.0, "answer 2": 7.0}
    async with open_shop(ttl=lambda _query, value: times.get(value, -1.0)) as shop:
        assert [await shop.status() for _ in range(3)] == ["miss", "miss", "fresh"]
        clock.advance(7)
        assert [await shop.status() for _ in range(2)] == ["miss", "miss"]


async def test_what_is_not_worth_keeping_is_not_kept(open_shop: Any) -> None:
    """`cache_if` sees query and value."""
    async with open_shop(cache_if=lambda _query, value: value != "answer 1") as shop:
        assert [await shop.status() for _ in range(3)] == ["miss", "miss", "fresh"]


@pytest.mark.parametrize(
    "policy",
    [
        {"cache_if": lambda _query, _value: 1 / 0},
        {"ttl": lambda _query, _value: 1 / 0},
        {"tags": lambda _query: 1 / 0},
        {"vary": lambda _query: object()},
        {"vary": lambda _query: 1 / 0},
    ],
    ids=["cache_if", "ttl", "tags", "vary", "vary that raises"],
)
async def test_a_policy_that_fails_costs_the_cache_and_not_the_query(open_shop: Any, policy: Any) -> None:
    """The handler answers, each time, and it is said."""
    async with open_shop(**policy) as shop:
        assert [await shop.find() for _ in range(2)] == [Success("answer 1"), Success("answer 2")]


async def test_whoever_asks_for_the_same_waits_for_the_same(open_shop: Any) -> None:
    """One execution for all of them; who is cancelled takes nobody along (C9, C19, C20, I10)."""
    answers: list[Any] = []
    async with open_shop() as shop:
        shop.gate = anyio.Event()

        async def ask(scope: anyio.CancelScope) -> None:
            with scope:
                answers.append(await shop.find())

        scopes = [anyio.CancelScope() for _ in range(5)]
        async with anyio.create_task_group() as group:
            for scope in scopes:
                group.start_soon(ask, scope)
            await settled()
            scopes[0].cancel()
            scopes[3].cancel()
            await settled()
            shop.gate.set()

        assert answers == [Success("answer 1")] * 3
        assert len(shop.executions) == 1
        assert await shop.status() == "fresh"


async def test_all_waiters_get_the_failure_and_the_next_call_tries_again(open_shop: Any) -> None:
    """A failure that will pass is nobody's answer for later (C21)."""
    answers: list[Any] = []
    async with open_shop() as shop:
        shop.gate = anyio.Event()
        shop.failing()

        async def ask() -> None:
            answers.append(await shop.find())

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)
            await settled()
            shop.gate.set()

        assert answers == [Failure(shop.Unreachable())] * 3
        assert len(shop.executions) == 1
        await shop.find()
        assert len(shop.executions) == 2


async def test_what_was_invalidated_while_it_was_computed_is_not_kept(open_shop: Any) -> None:
    """Those who asked before get it; whoever asks after gets what was started after (I2, C26)."""
    answers: dict[str, Any] = {}
    async with open_shop() as shop:
        first, second = anyio.Event(), anyio.Event()

        async def ask(name: str) -> None:
            answers[name] = await shop.find()

        async with anyio.create_task_group() as group:
            shop.gate = first
            group.start_soon(ask, "before")
            await settled()
            await shop.cache.invalidate(tags=("order:1",))
            shop.gate = second
            group.start_soon(ask, "after")
            await settled()
            second.set()
            await settled()
            first.set()

        assert answers == {"before": Success("answer 1"), "after": Success("answer 2")}
        assert await shop.find() == Success("answer 2")


async def test_what_one_call_asks_of_the_cache(open_shop: Any, clock: SteppedClock) -> None:
    """Past it, a new one, not too old, or nothing but what is there."""
    async with open_shop() as shop:
        assert await shop.find(control=ONLY_IF_CACHED) == Failure(Refused(NotCached()))
        assert await shop.find() == Success("answer 1")
        assert await shop.find(control=ONLY_IF_CACHED) == Success("answer 1")
        assert await shop.find(control=BYPASS) == Success("answer 2")
        assert await shop.find() == Success("answer 1")
        assert await shop.find(control=REFRESH) == Success("answer 3")
        clock.advance(5)
        assert await shop.find(control=max_age(5)) == Success("answer 3")
        clock.advance(0.25)
        assert await shop.find(control=max_age(5)) == Success("answer 4")


async def test_tenants_share_nothing(open_shop: Any, caplog: Any) -> None:
    """Each has its own answer; a dispatch that does not say whose it is goes past the cache, and that is said once."""
    async with open_shop(scope=TENANT) as shop:
        assert await shop.find(tenant="a") == Success("answer 1")
        assert await shop.find(tenant="b") == Success("answer 2")
        assert await shop.find(tenant="a") == Success("answer 1")
        assert [await shop.find() for _ in range(2)] == [Success("answer 3"), Success("answer 4")]
        assert shop.cache.stats().lookups == {"miss": 2, "fresh": 1, "bypass": 2}

    (said,) = [
        record.getMessage() for record in caplog.records if "cqrs_context(tenant=...)" in record.getMessage()
    ]
    assert "scope=SHARED" in said


async def test_a_query_that_asks_itself_does_not_wait_for_itself(open_shop: Any) -> None:
    """A handler that sends its own query goes past the cache instead of waiting until it is given up."""
    async with open_shop() as shop:
        asked: list[Any] = []

        def answer(number: int) -> Any:
            return Success(f"answer {number}")

        original = shop.handle

        async def handle(query: Any) -> Any:
            if not asked:
                asked.append(None)
                asked[0] = await shop.find(query.order)
            return await original(query)

        shop.answer = answer
        shop.state.queries[shop.Find] = cached = shop.state.queries[shop.Find]
        object.__setattr__(cached, "next", handle)
        with anyio.fail_after(5):
            result = await shop.find()

        assert (asked, result) == ([Success("answer 1")], Success("answer 2"))


async def test_a_value_that_can_be_changed_is_each_callers_own(open_shop: Any) -> None:
    """What one of them does to it, no other sees (C25)."""
    async with open_shop() as shop:
        held = [(await shop.find()).unwrap() for _ in range(2)]
        assert held == ["answer 1"] * 2
        assert held[0] is held[1]


async def test_another_thread_is_answered_from_what_is_held_or_by_the_handler(open_shop: Any) -> None:
    """It has an event loop of its own, and waits for nothing of this one."""
    async with open_shop() as shop:
        await shop.find()
        found: list[Any] = []

        def elsewhere() -> None:
            async def ask() -> None:
                found.append(await shop.find(1))
                found.append(await shop.find(2))
                found.append(await shop.find(2))

            anyio.run(ask)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        await anyio.to_thread.run_sync(thread.join)

        assert found == [Success("answer 1"), Success("answer 2"), Success("answer 3")]


async def test_a_query_without_a_policy_is_not_touched(open_shop: Any) -> None:
    """No read, no write, no flight, and nothing in its pipeline."""
    async with open_shop() as shop:
        for _ in range(3):
            await shop.app.queries.execute(shop.Plain(1))

        assert len(shop.executions) == 3
        stats = shop.cache.stats()
        assert (stats.lookups, stats.refreshes, stats.entries) == ({}, {}, 0)
        assert shop.Plain not in shop.state.queries
