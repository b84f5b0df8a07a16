"""The books balance whatever the server answers, in whatever order."""

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cqrs_openobserve.answers import Answer, Trouble, meaning
from cqrs_openobserve.delivery import OLDEST_NS, Delivery
from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.payloads import Payload, json_payloads
from cqrs_openobserve.spool_files import SpoolFile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def counted(good: int, bad: int) -> Answer:
    return Answer(200, body=f'{{"code":200,"status":[{{"successful":{good},"failed":{bad}}}]}}'.encode())


def of(numbers: Iterable[int], age: int = 0) -> Payload:
    return next(json_payloads("s", [(str(number).encode(), age) for number in numbers]))


def numbers_in(payload: Payload) -> list[int]:
    return list(json.loads(gzip.decompress(payload.body)))


answers = st.one_of(
    st.builds(counted, st.integers(0, 9), st.integers(0, 9)),
    st.sampled_from(
        [200, 204, 206, 301, 400, 401, 403, 404, 408, 413, 415, 418, 422, 425, 429, 500, 502, 503]
    ).map(Answer),
    st.sampled_from(["refused", "timeout", "reset", "tls"]).map(lambda cause: Trouble(cause, "x")),
    st.binary(max_size=20).map(lambda body: Answer(200, body=body)),
)


class Books(RuleBasedStateMachine):
    """Payloads come, answers come, time passes; every record is delivered, waiting or dropped for one reason."""

    @initialize(retries=st.integers(0, 3))
    def begin(self, retries: int) -> None:
        """Start with empty books."""
        self.delivery = Delivery(retries, lambda: 0.5)
        self.accepted = 0
        self.now = 10**18

    @rule(size=st.integers(1, 9))
    def add(self, size: int) -> None:
        """The worker hands over a payload."""
        self.delivery.add(of(range(size), self.now), self.now)
        self.accepted += size

    @rule(size=st.integers(1, 9), age=st.sampled_from([0, OLDEST_NS, 2 * OLDEST_NS]))
    def adopt(self, size: int, age: int) -> None:
        """A process left a file."""
        self.delivery.adopt([SpoolFile(Path("x"), "logs", size, 1, age)], self.now)
        self.accepted += size

    @rule(everything=st.booleans())
    def park(self, *, everything: bool) -> None:
        """What cannot be sent at once is written to the spool."""
        for parcel in self.delivery.to_park(self.now, everything=everything):
            assert parcel.payload is not None
            assert self.delivery.parked(parcel, SpoolFile(Path("x"), "logs", parcel.records, 1, 0))

    @rule()
    def lose_a_file(self) -> None:
        """A file turns out to be damaged when it is its turn."""
        parcel = self.delivery.next(self.now, hurry=True)
        if isinstance(parcel, Parcel) and parcel.file is not None:
            self.delivery.lost(parcel, "spool_error")

    @rule(answer=answers, hurry=st.booleans())
    def send(self, answer: Answer | Trouble, *, hurry: bool) -> None:
        """The sender sends, and some answer comes."""
        parcel = self.delivery.next(self.now, hurry=hurry)
        if isinstance(parcel, Parcel):
            self.answer(parcel, answer)

    def answer(self, parcel: Parcel, answer: Answer | Trouble) -> None:
        """Play an answer to a parcel, whose file is made up if it lies in the spool."""
        payload = parcel.payload or of(range(parcel.records))
        self.delivery.answered(parcel, payload, meaning(answer, parcel.records, NOW), self.now)

    @rule()
    def store_everything(self) -> None:
        """The server takes a payload."""
        parcel = self.delivery.next(self.now, hurry=True)
        if isinstance(parcel, Parcel):
            self.answer(parcel, counted(parcel.records, 0))

    @rule(seconds=st.sampled_from([0, 1, 5, 300, OLDEST_NS // 10**9]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += seconds * 10**9

    @rule(answer=answers)
    def answer_after_giving_up(self, answer: Answer | Trouble) -> None:
        """An answer comes too late."""
        parcel = self.delivery.next(self.now, hurry=True)
        self.delivery.give_up("shutdown_timeout")
        if isinstance(parcel, Parcel):
            self.answer(parcel, answer)

    @precondition(lambda self: hasattr(self, "delivery"))
    @invariant()
    def books_balance(self) -> None:
        """Nothing is forgotten and nothing counted twice."""
        settled, delivery = self.delivery.settled, self.delivery
        assert all(count > 0 for count in settled.dropped.values())
        left = delivery.waiting + delivery.spooled
        assert self.accepted == settled.delivered + left + sum(settled.dropped.values())
        parcels = delivery._parcels
        assert delivery.waiting == sum(parcel.records for parcel in parcels if parcel.file is None)
        assert delivery.spooled == sum(parcel.records for parcel in parcels if parcel.file is not None)
        assert delivery._in_memory == sum(parcel.file is None for parcel in parcels)


TestBooks = Books.TestCase


@given(size=st.integers(1, 200), bad=st.sets(st.integers(0, 199), max_size=3))
def test_bisecting_finds_exactly_the_bad_records(size: int, bad: set[int]) -> None:
    """A 400 costs only the records that cause it, and one bad record at most 2·log₂N + 1 requests."""
    bad = {index for index in bad if index < size}
    delivery = Delivery(3, lambda: 0.5)
    delivery.add(of(range(size)), 0)
    requests = 0
    stored: list[int] = []
    while isinstance(parcel := delivery.next(0), Parcel):
        requests += 1
        payload = parcel.payload
        assert payload is not None
        refused = bool(bad.intersection(numbers_in(payload)))
        stored += [] if refused else numbers_in(payload)
        answer = Answer(400) if refused else counted(parcel.records, 0)
        delivery.answered(parcel, payload, meaning(answer, parcel.records, NOW), 0)

    assert stored == [i for i in range(size) if i not in bad]
    assert [numbers_in(kept) for kept in delivery.rejected] == [[i] for i in sorted(bad)]
    assert delivery.settled.dropped["rejected_record"] == len(bad)
    if len(bad) <= 1:
        assert requests <= 2 * (size - 1).bit_length() + 1


@given(size=st.integers(1, 64), poison=st.integers(0, 63), retries=st.integers(0, 3))
def test_a_record_that_makes_a_live_server_answer_500_is_found(size: int, poison: int, retries: int) -> None:
    """A plain 500 is bisected once the server has shown that it takes other payloads."""
    poison = min(poison, size - 1)
    delivery = Delivery(retries, lambda: 0.5)
    delivery.add(of(range(size)), 0)
    for step in range(2_000):
        if step % 10 == 0 and delivery.room:
            delivery.add(of([-1]), 0)
        parcel = delivery.next(0, hurry=True)
        if not isinstance(parcel, Parcel) or delivery.settled.dropped:
            break
        payload = parcel.payload
        assert payload is not None
        answer = Answer(500) if poison in numbers_in(payload) else counted(parcel.records, 0)
        delivery.answered(parcel, payload, meaning(answer, parcel.records, NOW), 0)

    assert dict(delivery.settled.dropped) == {"rejected_record": 1}
