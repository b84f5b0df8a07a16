"""The end of a flight: what its answer does to the entry of its key."""

from typing import Final, Literal, final

import attrs
from returns.result import Failure, Success

from cqrs.caching import AnyResult
from cqrs_swr.cached_query import LONGEST
from cqrs_swr.epochs import Seen
from cqrs_swr.flights import Address, Flight
from cqrs_swr.freshness import Outcome, Stamps, Validity, failed, negative, success
from cqrs_swr.memory import BOOKS, Entry
from cqrs_swr.sharing import footprint, is_immutable
from cqrs_swr.state import State
from cqrs_swr.values import NotStorable

Ending = Literal["success", "negative", "answer", "transient", "superseded", "adopted", "given_up"]

_POLICY_FAILED: Final = "The cache policy of %s raised: %s. The dispatch goes on without it."
_NOT_KEPT: Final = "An answer of %s is not kept: %s."


@final
@attrs.frozen(eq=False)
class Made:
    """An answer that may be kept.

    Attributes:
        entry: in this process.
        content: encoded; None if nothing needed that.
    """

    entry: Entry
    content: bytes | None = None


async def commit(state: State, flight: Flight, seen: Seen, result: AnyResult) -> Ending:
    """End a flight: keep its answer or not, and let its waiters go.

    Args:
        state: the cache.
        flight: the flight, whose handler has answered.
        seen: the epochs under which its handler began.
        result: what it has answered.
    """
    address = flight.address
    if state.is_shared:  # what another process has made invalid meanwhile counts, however short ago it was
        await state.epochs.sync(state.now())
    validity = await state.epochs.validity(seen)
    # Nothing is awaited from here until the waiters are let go: what holds now still holds then.
    outcome = outcome_of(state, address, result)
    flight.is_transient = outcome == "transient"
    is_joinable = state.flights.get(address.key) is flight
    if is_joinable:
        del state.flights[address.key]
    if not is_joinable or validity is not Validity.VALID:
        flight.land(result, None)
        return "superseded"
    made = applied(state, address, Began(flight.started, seen), result, outcome)
    flight.land(result, None if made is None else made.content)
    await share(state, address, Began(flight.started, seen), outcome, made)
    return outcome


@final
@attrs.frozen(eq=False)
class Began:
    """The beginning of a computation.

    Attributes:
        at: when it was.
        seen: the epochs at that time.
    """

    at: float
    seen: Seen


def outcome_of(state: State, address: Address, result: AnyResult) -> Outcome:
    """Tell what an answer means for its entry.

    Args:
        state: the cache.
        address: which entry.
        result: the answer.
    """
    if not isinstance(result, Failure):
        return "success"
    cached = address.cached
    try:
        return cached.outcome(result.failure())
    except Exception as error:  # the policy's own function: it is said, and the entry goes
        _complain(state, address, error)
        return "answer"


def applied(state: State, address: Address, began: Began, result: AnyResult, outcome: Outcome) -> Made | None:
    """Do to the entry of this process what an answer means for it.

    Args:
        state: the cache.
        address: which entry.
        began: when the computation began.
        result: the answer.
        outcome: what it means.

    Returns:
        The answer if it is kept.
    """
    old = state.memory.get(address.key)
    if outcome == "transient":
        if old is not None:
            _wait_before_the_next(state, address, old)
        return None
    made: Made | None = None
    if outcome == "success":
        made = _made(state, address, began, result.unwrap(), old)
    elif outcome == "negative":
        made = _negative(state, address, began, result)
    if made is not None and state.memory.put(address.key, made.entry):
        return made
    _forget(state, address, began)
    return None


def _forget(state: State, address: Address, began: Began) -> None:
    if not state.is_shared:
        state.memory.remove(address.key)
        return
    # What is held instead says only since when: an older answer of another process must not come back.
    stamps = negative(0.0, state.now())
    held = Entry(address.query, address.owner, None, None, stamps, began.at, began.seen, BOOKS)
    state.memory.put(address.key, held)


async def share(state: State, address: Address, began: Began, outcome: Outcome, made: Made | None) -> None:
    """Do to the row that processes share what an answer means for it.

    Args:
        state: the cache.
        address: which entry.
        began: when the computation began.
        outcome: what the answer means.
        made: the answer, if it is kept.
    """
    cached = address.cached
    if outcome == "transient" or not cached.policy.l2 or not state.is_shared or cached.codec is None:
        return
    shared_key = cached.keys.shared_of(address.key)
    other = await state.rows.load(cached, address.query, address.owner, shared_key)
    is_older = other is not None and other.started > began.at
    if is_older and other is not None and await state.epochs.validity(other.seen) is Validity.VALID:
        return  # another process has begun later and ended earlier
    if made is not None and made.content is not None:
        await state.rows.save(cached.codec, shared_key, made.entry, made.content)
        return
    # What other processes began earlier and still compute must not come to be the answer: for as long as it may take.
    stamps = Stamps(state.now(), 0.0, 0.0, cached.policy.hard_timeout)
    gone = Entry(address.query, address.owner, None, None, stamps, began.at, began.seen, BOOKS)
    await state.rows.save(cached.codec, shared_key, gone, b"", is_gone=True)


def _wait_before_the_next(state: State, address: Address, old: Entry) -> None:
    stamps = failed(old.stamps, address.cached.windows, state.now(), state.chance.random())
    state.memory.replace(address.key, old, attrs.evolve(old, stamps=stamps))


def _negative(state: State, address: Address, began: Began, result: AnyResult) -> Made | None:
    seconds = address.cached.negative_seconds(result.failure())
    if seconds is None or seconds <= 0:
        return None
    stamps = negative(min(seconds, LONGEST), state.now())
    return Made(Entry(address.query, address.owner, result, None, stamps, began.at, began.seen, BOOKS))


def _made(state: State, address: Address, began: Began, value: object, old: Entry | None) -> Made | None:
    cached = address.cached
    try:
        ttl = cached.ttl_of(address.query, value)
        if ttl <= 0:
            return None
        stamps = success(cached.windows, ttl, state.now(), state.chance.random(), cached.policy.jitter)
        return _entered(address, began, value, stamps, old)
    except NotStorable as error:
        state.counters.uncached[cached.info.message_type] += 1
        state.notices.warn(f"store {cached.info.message_type}", _NOT_KEPT, cached.info.message_type, error)
    except Exception as error:  # the policy's own function: it is said, and nothing is kept
        _complain(state, address, error)
    return None


def _entered(address: Address, began: Began, value: object, stamps: Stamps, old: Entry | None) -> Made:
    cached, immutable = address.cached, is_immutable(value)
    if cached.codec is None and not immutable:
        raise NotStorable("it can be changed, and its type has no encoding to copy it by")
    content = (
        None if cached.codec is None or (immutable and not cached.policy.l2) else cached.codec.encode(value)
    )
    size = footprint(value) if content is None else len(content)
    if size > cached.policy.max_bytes:
        raise NotStorable(f"it takes {size} bytes, and max_bytes is {cached.policy.max_bytes}")
    result: AnyResult | None = Success(value) if immutable else None
    if old is not None and old.result is not None and old.result == result:
        result = old.result  # whoever compares by identity sees that nothing has changed
    kept = None if immutable else content
    return Made(
        Entry(address.query, address.owner, result, kept, stamps, began.at, began.seen, size + BOOKS), content
    )


def _complain(state: State, address: Address, error: Exception) -> None:
    name = address.cached.info.message_type
    state.notices.warn(f"policy {name}", _POLICY_FAILED, name, f"{type(error).__name__}: {error}")
