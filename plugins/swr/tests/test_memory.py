import attrs
import pytest
from cqrs_swr.epochs import Seen
from cqrs_swr.freshness import Stamps
from cqrs_swr.memory import Entry, Memory
from returns.result import Success

from cqrs import Query


@attrs.frozen
class Find(Query[str, str]):
    """A query."""


def entry(size: int = 10, failures: int = 0) -> Entry:
    return Entry(
        Find(), (), Success("x"), None, Stamps(0.0, 1.0, failures=failures), 0.0, Seen(b"", {}, {}), size
    )


def test_the_entry_that_was_not_used_for_longest_gives_way() -> None:
    """Being looked up is being used (I11)."""
    memory = Memory(most_entries=2)
    kept, lost = entry(), entry()
    memory.put(("kept",), kept)
    memory.put(("lost",), lost)
    memory.get(("kept",))
    memory.put(("new",), entry())

    assert memory.get(("kept",)) is kept
    assert memory.get(("lost",)) is None
    assert (len(memory), memory.evictions, memory.bytes) == (2, 1, 20)


def test_bytes_are_bounded_too() -> None:
    """As many give way as it takes; one that is larger than everything may be is not kept."""
    memory = Memory(most_bytes=100)
    for number in range(20):
        memory.put((number,), entry(size=10))
    assert memory.put(("large",), entry(size=95)) is True
    assert (len(memory), memory.bytes) == (1, 95)

    assert memory.put(("too large",), entry(size=101)) is False
    assert memory.bytes <= 100


def test_an_entry_that_is_too_large_takes_the_old_one_with_it() -> None:
    """What is outdated is not kept because what is new does not fit."""
    memory = Memory(most_bytes=100)
    memory.put(("key",), entry())

    assert memory.put(("key",), entry(size=101)) is False
    assert memory.get(("key",)) is None
    assert memory.bytes == 0


def test_replacing_happens_only_where_the_old_one_still_is() -> None:
    """A change that comes late does not undo what has happened since."""
    memory = Memory()
    old, newer = entry(), entry()
    memory.put(("key",), old)
    memory.put(("key",), newer)
    memory.replace(("key",), old, entry(failures=1))
    assert memory.get(("key",)) is newer
    memory.replace(("key",), newer, entry(failures=2))

    assert memory.count(lambda each: each.stamps.failures == 2) == 1


@pytest.mark.parametrize("how", ["remove", "clear"])
def test_what_is_forgotten_weighs_nothing(how: str) -> None:
    """The books are right after each way out."""
    memory = Memory()
    memory.put(("key",), entry())
    if how == "remove":
        memory.remove(("key",))
        memory.remove(("another",))
    else:
        memory.clear()

    assert (len(memory), memory.bytes, list(memory.items())) == (0, 0, [])
