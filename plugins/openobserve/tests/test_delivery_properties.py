"""The books balance whatever the server answers, in whatever order."""

from datetime import UTC, datetime

from cqrs_openobserve.answers import Answer, Trouble, meaning
from cqrs_openobserve.delivery import OLDEST_NS, Delivery, Payload
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def counted(good: int, bad: int) -> Answer:
    return Answer(200, body=f'{{"code":200,"status":[{{"successful":{good},"failed":{bad}}}]}}'.encode())


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
        rows = tuple(b"{}" for _ in range(size))
        self.delivery.add(Payload("s", rows, (self.now,) * size))
        self.accepted += size

    @rule(answer=answers, hurry=st.booleans())
    def send(self, answer: Answer | Trouble, *, hurry: bool) -> None:
        """The sender sends, and some answer comes."""
        payload = self.delivery.next(self.now, hurry=hurry)
        if isinstance(payload, Payload):
            self.delivery.answered(payload, meaning(answer, len(payload), NOW), self.now)

    @rule()
    def store_everything(self) -> None:
        """The server takes a payload."""
        payload = self.delivery.next(self.now, hurry=True)
        if isinstance(payload, Payload):
            self.delivery.answered(payload, meaning(counted(len(payload), 0), len(payload), NOW), self.now)

    @rule(seconds=st.sampled_from([0, 1, 5, 300, OLDEST_NS // 10**9]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += seconds * 10**9

    @rule(answer=answers)
    def answer_after_giving_up(self, answer: Answer | Trouble) -> None:
        """An answer comes too late."""
        payload = self.delivery.next(self.now, hurry=True)
        self.delivery.give_up("shutdown_timeout")
        if isinstance(payload, Payload):
            self.delivery.answered(payload, meaning(answer, len(payload), NOW), self.now)

    @precondition(lambda self: hasattr(self, "delivery"))
    @invariant()
    def books_balance(self) -> None:
        """Nothing is forgotten and nothing counted twice."""
        settled = self.delivery.settled
        dropped = settled.dropped
        assert all(count > 0 for count in dropped.values())
        assert self.accepted == settled.delivered + self.delivery.waiting + sum(dropped.values())


TestBooks = Books.TestCase


@given(size=st.integers(1, 200), bad=st.sets(st.integers(0, 199), max_size=3))
def test_bisecting_finds_exactly_the_bad_records(size: int, bad: set[int]) -> None:
    """A 400 costs only the records that cause it, and one bad record at most 2·log₂N + 1 requests."""
    bad = {index for index in bad if index < size}
    delivery = Delivery(3, lambda: 0.5)
    delivery.add(Payload("s", tuple(str(i).encode() for i in range(size)), (0,) * size))
    requests = 0
    stored: list[bytes] = []
    while isinstance(payload := delivery.next(0), Payload):
        requests += 1
        refused = any(int(row) in bad for row in payload.rows)
        stored += [] if refused else payload.rows
        answer = Answer(400) if refused else counted(len(payload), 0)
        delivery.answered(payload, meaning(answer, len(payload), NOW), 0)

    assert stored == [str(i).encode() for i in range(size) if i not in bad]
    assert delivery.settled.dropped["rejected_record"] == len(bad)
    if len(bad) <= 1:
        assert requests <= 2 * (size - 1).bit_length() + 1


@given(size=st.integers(1, 64), poison=st.integers(0, 63), retries=st.integers(0, 3))
def test_a_record_that_makes_a_live_server_answer_500_is_found(size: int, poison: int, retries: int) -> None:
    """A plain 500 is bisected once the server has shown that it takes other payloads."""
    poison = min(poison, size - 1)
    delivery = Delivery(retries, lambda: 0.5)
    delivery.add(Payload("s", tuple(str(i).encode() for i in range(size)), (0,) * size))
    for step in range(2_000):
        if step % 10 == 0 and delivery.room:
            delivery.add(Payload("s", (b"-1",), (0,)))
        payload = delivery.next(0, hurry=True)
        if not isinstance(payload, Payload) or delivery.settled.dropped:
            break
        refused = any(int(row) == poison for row in payload.rows)
        answer = Answer(500) if refused else counted(len(payload), 0)
        delivery.answered(payload, meaning(answer, len(payload), NOW), 0)

    assert dict(delivery.settled.dropped) == {"rejected_record": 1}
