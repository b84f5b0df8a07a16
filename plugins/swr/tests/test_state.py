import attrs
from cqrs_swr.memory_store import MemoryStore
from cqrs_swr.settings import Settings
from cqrs_swr.state import State
from cqrs_swr.testing import SteppedClock

from cqrs import Query


@attrs.frozen
class Find(Query[str, str]):
    """A query."""


def test_without_a_store_nothing_is_shared(clock: SteppedClock) -> None:
    """Epochs are kept in memory, and no lease is asked for."""
    state = State(Settings(), clock=clock)

    assert state.is_shared is False
    assert isinstance(state.store, MemoryStore)
    assert (state.now(), state.cached(Find())) == (1000.0, None)


def test_a_store_is_made_with_what_it_needs(clock: SteppedClock) -> None:
    """The clock, and where it counts and says what goes wrong."""
    given: list[object] = []

    def make(*parts: object) -> MemoryStore:
        given.extend(parts)
        return MemoryStore()

    state = State(Settings(), make, clock=clock)

    assert given == [clock, state.counters, state.notices]
    assert state.is_shared is True
