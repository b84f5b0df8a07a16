"""Which segments belong to which stream, and when they change."""

import asyncio
from pathlib import Path

import pytest
from cqrs_local.segment_index import SegmentIndex
from cqrs_local.segments import Segment


def segment(generation: int) -> Segment:
    return Segment(Path(f"/s/{generation}"), generation, 0, 1, 1, 1, generation)


async def test_a_change_waits_for_the_queries_that_run() -> None:
    """It is made the moment the last one ends, and at once if none runs."""
    index = SegmentIndex({1: [segment(1), segment(2)]})
    done: list[str] = []

    def change() -> Segment:
        done.append("changed")
        return segment(3)

    async with index.reading():
        async with index.reading():
            waiting = asyncio.create_task(index.replace(1, [segment(1), segment(2)], change, 10))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert done == []
    assert await waiting
    assert (done, list(index.of(1))) == (["changed"], [segment(3)])


async def test_a_change_gives_up_if_queries_never_end() -> None:
    """Nothing was touched."""
    index = SegmentIndex({1: [segment(1)]})

    async with index.reading():
        assert not await index.replace(1, [segment(1)], pytest.fail, 0.01)
    assert list(index.of(1)) == [segment(1)]


async def test_what_is_gone_already_is_not_replaced() -> None:
    """A stream that was deleted while its segments were merged."""
    index = SegmentIndex({1: [segment(1)]})
    index.drop(1)

    assert not await index.replace(1, [segment(1)], pytest.fail, 1)


async def test_a_change_that_fails_leaves_the_list_as_it_was() -> None:
    """The files are what they were as well."""
    index = SegmentIndex({1: [segment(1)]})

    def fail() -> Segment:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        await index.replace(1, [segment(1)], fail, 1)
    assert list(index.of(1)) == [segment(1)]


async def test_new_segments_that_came_meanwhile_stay() -> None:
    """In the order of their generations."""
    index = SegmentIndex({1: [segment(1), segment(2)]})
    index.add(1, segment(4))

    assert await index.replace(1, [segment(1), segment(2)], lambda: segment(3), 1)
    assert await index.replace(1, [segment(4)], lambda: None, 1)
    assert list(index.of(1)) == [segment(3)]


async def test_a_change_that_waits_comes_before_the_next_query() -> None:
    """So that queries without end do not keep it waiting for ever."""
    index = SegmentIndex({1: [segment(1)]})
    order: list[str] = []

    async def query() -> None:
        async with index.reading():
            order.append("query")

    async with index.reading():
        changing = asyncio.create_task(index.replace(1, [segment(1)], lambda: order.append("change"), 10))
        await asyncio.sleep(0)
        asking = asyncio.create_task(query())
        await asyncio.sleep(0)
    await asyncio.gather(changing, asking)

    assert order == ["change", "query"]
