"""Group C of the fault catalogue, numbers and folders that are none: found at start, or no caching."""

import math
from pathlib import Path
from typing import Any

import pytest
from cqrs_swr import Swr
from cqrs_swr.directory import filesystem_of
from returns.result import Success

from cqrs import CompositionError
from cqrs.caching import CachePolicy


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        ({"ttl": -1}, "ttl=-1"),
        ({"ttl": math.nan}, "ttl=nan"),
        ({"stale": -0.5}, "stale=-0.5"),
        ({"stale": math.inf}, "stale=inf"),
        ({"fail_safe": math.nan}, "fail_safe=nan"),
        ({"negative": {KeyError: -1}}, "negative[KeyError]=-1"),
        ({"stale": 10, "fail_safe": 5}, "fail_safe=5 ends before stale=10"),
        ({"ttl": 0, "stale": 10}, "ttl is 0"),
        ({"jitter": 1}, "jitter=1"),
        ({"eager": -0.1}, "eager=-0.1"),
        ({"hard_timeout": 0}, "hard_timeout=0"),
        ({"soft_timeout": 60}, "soft_timeout=60"),
        ({"backoff": (5, 1)}, "backoff="),
        ({"max_bytes": 0}, "max_bytes=0"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
async def test_c30_numbers_that_are_none(open_shop: Any, policy: dict[str, Any], named: str) -> None:
    """Negative, NaN, endless or contradictory: one problem at start with the class, the field and the number."""
    with pytest.raises(CompositionError) as refused:
        async with open_shop(**policy):
            pass

    (problem,) = refused.value.problems
    assert "Find" in str(problem)
    assert named in str(problem)
    assert problem.fix


@pytest.mark.parametrize("ttl", [0, 0.0, -0.0])
async def test_c30_zero_is_no_caching(open_shop: Any, ttl: float) -> None:
    """Not the default, and not for ever: each call runs the handler, whatever the settings say (I4)."""
    async with open_shop(ttl=ttl, given={"ttl": 60.0}) as shop:
        assert [await shop.find() for _ in range(3)] == [Success(f"answer {n}") for n in (1, 2, 3)]


async def test_c30_a_stale_window_shorter_than_ttl_counts_from_its_end(open_shop: Any, clock: Any) -> None:
    """A stale window below ttl is no contradiction: both are counted one after the other; 0 is "off"."""
    async with open_shop(ttl=30, stale=5) as shop:
        await shop.find()
        clock.advance(34)
        assert await shop.status() == "stale"
    async with open_shop(ttl=30, stale=0, given={"stale": 60.0}) as shop:
        await shop.find()
        clock.advance(30)
        assert await shop.status() == "miss"


async def test_c30_ttl_may_be_endless(open_shop: Any, clock: Any) -> None:
    """`math.inf` is the one number without an end, and even then 30 days are the most."""
    async with open_shop(ttl=math.inf) as shop:
        await shop.find()
        clock.advance(29 * 86_400)
        assert await shop.status() == "fresh"
        clock.advance(86_400)
        assert await shop.status() == "miss"
    assert CachePolicy().ttl is None


async def test_c13_a_folder_on_a_network(
    open_shop: Any,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is said at start, with the kind of the file system and what to do; the app runs."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path} nfs4 rw 0 0\nnone / ext4 rw 0 0\n")
    monkeypatch.setattr("cqrs_swr.plugin.filesystem_of", lambda place: filesystem_of(place, mounts))
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        assert await shop.find() == Success("answer 1")
    (said,) = [record.getMessage() for record in caplog.records if "nfs4" in record.getMessage()]
    assert f"{folder} is on nfs4" in said
    assert "local disk" in said


async def test_c13_a_folder_on_a_local_disk(
    open_shop: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is said, tmpfs and overlays included."""
    async with open_shop(plugin=Swr(dir=folder)) as shop:
        assert await shop.find() == Success("answer 1")
    assert [record for record in caplog.records if "local disk" in record.getMessage()] == []
