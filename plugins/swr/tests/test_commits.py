from typing import Any

import pytest
from cqrs_swr.testing import SteppedClock
from returns.result import Failure, Success


async def test_an_equal_answer_is_the_same_object(open_shop: Any, clock: SteppedClock) -> None:
    """Whoever compares by identity sees that nothing has changed."""
    async with open_shop() as shop:
        shop.answer = lambda _number: Success(str(10**30))
        first = (await shop.find()).unwrap()
        clock.advance(30)
        await shop.find()
        second = (await shop.find()).unwrap()

        assert len(shop.executions) == 2
        assert second is first


async def test_an_answer_that_is_too_large_is_not_kept(open_shop: Any, caplog: Any) -> None:
    """It is said with its size, and every call computes."""
    async with open_shop(max_bytes=100) as shop:
        shop.answer = lambda _number: Success("x" * 200)
        assert [await shop.status() for _ in range(2)] == ["miss", "miss"]
        assert shop.state.counters.uncached == {"Find": 2}

    assert "it takes 202 bytes, and max_bytes is 100" in caplog.text


async def test_an_answer_of_another_type_than_declared_is_not_kept(open_shop: Any) -> None:
    """It is handed to its callers as it is, and to nobody later (C25)."""
    async with open_shop() as shop:
        shop.answer = lambda number: Success([number])
        assert [await shop.find() for _ in range(2)] == [Success([1]), Success([2])]


@pytest.mark.parametrize("value", [None, False, 0, "", ()])
async def test_an_answer_that_is_false_is_an_answer(open_shop: Any, value: Any) -> None:
    """Nothing is told from its truth (C25); without a shared store any unchangeable value is kept."""
    async with open_shop(l2=False) as shop:
        shop.answer = lambda _number: Success(value)
        await shop.find()

        assert await shop.find() == Success(value)
        assert len(shop.executions) == (1 if value == "" or not isinstance(value, str) else 2)


async def test_a_rule_of_the_policy_that_raises_makes_an_answer(open_shop: Any, caplog: Any) -> None:
    """What was held goes, and it is said."""
    async with open_shop(classify=lambda _error: 1 / 0, fail_safe=60, ttl=1) as shop:
        shop.failing()
        assert await shop.find() == Failure(shop.Unreachable())
        assert shop.cache.stats().refreshes == {("miss", "answer"): 1}

    assert "ZeroDivisionError" in caplog.text
