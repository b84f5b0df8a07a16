"""Wrong query caches: what the engine's state machine has to find, and what the memory's limits have to."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import attrs
from cqrs_swr.cached_query import LONGEST
from cqrs_swr.freshness import WAIT, Stamps, Validity
from cqrs_swr.memory import Memory
from cqrs_swr.testing import EngineMachine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cqrs.testing import hold
from property_tests.mutants.mutant import replaced

OPTIONS = settings(
    max_examples=100,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def drive_the_engine() -> None:
    """Take the machine through the examples of the `ci` profile."""
    run_state_machine_as_test(EngineMachine, settings=OPTIONS)


def fill_the_memory() -> None:
    """Put more into a small memory than it may hold (I11)."""
    memory = Memory(most_entries=5, most_bytes=100)
    for number in range(50):
        memory.put((number,), attrs.evolve(_ENTRY, size=number))
        hold(len(memory) <= 5 and memory.bytes <= 100, "I11: there are more entries than may be")


@attrs.frozen
class _Sized:
    size: int = 0


_ENTRY: Any = _Sized()


@attrs.frozen(eq=False)
class CacheMutant:
    """A wrong cache.

    Attributes:
        name: in a few words, what is wrong.
        patch: makes it wrong.
        check: what has to find it.
    """

    name: str
    patch: Callable[[], AbstractContextManager[object]]
    check: Callable[[], None] = drive_the_engine


def is_found(mutant: CacheMutant) -> bool:
    """Whether a wrong cache is found."""
    with mutant.patch():
        try:
            mutant.check()
        except (AssertionError, AttributeError):
            return True
    return False


def engine_table() -> Iterator[str]:
    """The table of the wrong caches; a line that begins with `!` names one that is not found."""
    yield f"\n## cache engine: one state machine, {len(ENGINES)} mutants\n"
    for mutant in ENGINES:
        yield f"  {mutant.name}" if is_found(mutant) else f"! survived: {mutant.name}"


def longer(_right: Any) -> Any:
    return lambda windows, ttl, now, draw, jitter: Stamps(
        now, ttl * (1 + jitter * draw), windows.stale, windows.fail_safe
    )


def seen_at_the_end(_right: Any) -> Any:
    from cqrs_swr.launch import _limited, commit

    async def computed(self: Any, flight: Any) -> Any:
        state, address = self._state, flight.address
        flight.seen = await state.epochs.capture(())
        flight.started = state.now()
        state.counters.executions += 1
        result = await _limited(address)
        key = address.cached.keys.shared(address.query, address.owner)
        seen = await state.epochs.capture(address.cached.scopes(address.query, address.owner, key))
        return await commit(state, flight, seen, result)

    return computed


def whatever_is_under_way(_right: Any) -> Any:
    async def joinable(self: Any, address: Any) -> Any:
        return self._state.flights.get(address.key)

    return joinable


def nothing_is_under_way(_right: Any) -> Any:
    async def joinable(_self: Any, _address: Any) -> Any:
        return None

    return joinable


def zero_is_not_said(right: Any) -> Any:
    return lambda policy, given: right(attrs.evolve(policy, ttl=policy.ttl or 4.0), given)


def kept_after_an_answer(right: Any) -> Any:
    return lambda *given: None if given[-1] in ("answer", "negative") else right(*given)


def answers_stay_in_the_store(right: Any) -> Any:
    async def share(state: Any, address: Any, began: Any, outcome: Any, made: Any) -> None:
        if made is not None:
            await right(state, address, began, outcome, made)

    return share


def wiped(_right: Any) -> Any:
    return lambda state, address, _old: state.memory.remove(address.key)


def without_scope(right: Any) -> Any:
    return lambda self, *given: tuple(each for each in right(self, *given) if each != self.type_scope)


def without_tenant(_right: Any) -> Any:
    return lambda _scope, _tenant, _principal: ()


def never_invalid(_right: Any) -> Any:
    async def validity(_self: Any, _seen: Any) -> Validity:
        return Validity.VALID

    return validity


def replaces_whatever_is_there(_right: Any) -> Any:
    async def commit(state: Any, flight: Any, seen: Any, result: Any) -> Any:
        from cqrs_swr.commits import Began, applied, outcome_of, share

        state.flights.pop(flight.address.key, None)
        outcome = outcome_of(state, flight.address, result)
        flight.is_transient = outcome == "transient"
        began = Began(flight.started, seen)
        made = applied(state, flight.address, began, result, outcome)
        flight.land(result, None)
        await share(state, flight.address, began, outcome, made)
        return outcome

    return commit


def without_fail_safe(right: Any) -> Any:
    def decide(*given: Any) -> Any:
        decision = right(*given)
        return WAIT if decision.fallback or decision.serve == "stale_error" else decision

    return decide


def waits_while_stale(right: Any) -> Any:
    def decide(*given: Any) -> Any:
        decision = right(*given)
        return WAIT if decision.serve == "stale" else decision

    return decide


def forgets_a_waiter(right: Any) -> Any:
    def land(self: Any, result: Any, content: Any) -> None:
        if self.waiters < 2:
            right(self, result, content)
        else:
            self.result = None
            self.done.set()

    return land


def negative_for_longer(right: Any) -> Any:
    return lambda seconds, now: right(min(seconds * 4, LONGEST), now)


def quiet_while_stale(_right: Any) -> Any:
    return lambda stamps, _windows: stamps.committed + stamps.fresh + stamps.stale


def unheard(right: Any) -> Any:
    async def renew(self: Any, scopes: Any, mode: Any) -> None:
        version = self.version
        await right(self, scopes, mode)
        self.version = version

    return renew


def unbounded(_right: Any) -> Any:
    def put(self: Any, key: Any, entry: Any) -> bool:
        self._entries[key] = entry
        self.bytes += entry.size
        return True

    return put


ENGINES = (
    CacheMutant("jitter extends life", replaced("cqrs_swr.commits.success", longer)),
    CacheMutant(
        "epochs are taken at the end", replaced("cqrs_swr.launch.Launcher._computed", seen_at_the_end)
    ),
    CacheMutant(
        "joins what began before", replaced("cqrs_swr.launch.Launcher.joinable", whatever_is_under_way)
    ),
    CacheMutant(
        "refreshes twice at once", replaced("cqrs_swr.launch.Launcher.joinable", nothing_is_under_way)
    ),
    CacheMutant("ttl 0 is the default", replaced("cqrs_swr.running.windows_of", zero_is_not_said)),
    CacheMutant(
        "keeps the value after a Failure", replaced("cqrs_swr.commits.applied", kept_after_an_answer)
    ),
    CacheMutant("an answer leaves the row", replaced("cqrs_swr.commits.share", answers_stay_in_the_store)),
    CacheMutant("a failure wipes the entry", replaced("cqrs_swr.commits._wait_before_the_next", wiped)),
    CacheMutant("no back-off", replaced("cqrs_swr.commits.failed", lambda _right: lambda stamps, *_: stamps)),
    CacheMutant("loses waiters", replaced("cqrs_swr.flights.Flight.land", forgets_a_waiter)),
    CacheMutant("commits what is superseded", replaced("cqrs_swr.launch.commit", replaces_whatever_is_there)),
    CacheMutant("invalidations change nothing", replaced("cqrs_swr.epochs.Epochs.validity", never_invalid)),
    CacheMutant(
        "the scope of a class is ignored", replaced("cqrs_swr.cached_query.CachedQuery.scopes", without_scope)
    ),
    CacheMutant("tenants share", replaced("cqrs_swr.engine.owner_of", without_tenant)),
    CacheMutant("no fail-safe", replaced("cqrs_swr.engine.decide", without_fail_safe)),
    CacheMutant("waits while it could serve", replaced("cqrs_swr.engine.decide", waits_while_stale)),
    CacheMutant("a no is kept for too long", replaced("cqrs_swr.commits.negative", negative_for_longer)),
    CacheMutant("hits outlive freshness", replaced("cqrs_swr.engine.quiet_until", quiet_while_stale)),
    CacheMutant("hits outlive invalidations", replaced("cqrs_swr.epochs.Epochs.renew", unheard)),
    CacheMutant(
        "hits of the store outlive freshness",
        replaced("cqrs_swr.shared_rows.quiet_until", quiet_while_stale),
    ),
    CacheMutant("unbounded", replaced("cqrs_swr.memory.Memory.put", unbounded), fill_the_memory),
)
