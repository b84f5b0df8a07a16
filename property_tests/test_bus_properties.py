"""The buses against a list: whatever is registered and dispatched, each dispatch has exactly one outcome."""

import asyncio
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Event, Feature, HandlerInfo, Instrument, Next, current_context
from cqrs.faults import ContractBroken, HandlerCrashed, HandlerNotFound

BEHAVIOURS = ["success", "failure", "crash", "junk", "nested result"]
MESSAGES = [
    attrs.make_class(f"Command{number}", ["number"], bases=(Command,), frozen=True) for number in range(4)
]
EVENTS = [attrs.make_class(f"Event{number}", ["number"], bases=(Event,), frozen=True) for number in range(2)]


def behave(behaviour: str, number: int) -> Any:
    match behaviour:
        case "success":
            return Success(number)
        case "failure":
            return Failure(number)
        case "junk":
            return number
        case "nested result":
            return Success(Success(number))
        case _:
            raise ValueError(number)


def expected(behaviour: str | None, number: int) -> Any:
    match behaviour:
        case None:
            return HandlerNotFound
        case "success" | "failure":
            return behave(behaviour, number)
        case "crash":
            return HandlerCrashed
        case _:
            return ContractBroken


def outcome(result: Result[Any, Any]) -> Any:
    fault = result.failure() if isinstance(result, Failure) else None
    return type(fault) if isinstance(fault, HandlerNotFound | HandlerCrashed | ContractBroken) else result


def handler(behaviour: str, runs: list[object]) -> Any:
    async def handle(message: Any) -> Any:
        runs.append(message)
        await asyncio.sleep(0)
        return behave(behaviour, message.number)

    return handle


class Passing(Instrument):
    """An instrument around everything."""

    def around(self, next: Next, _handler: HandlerInfo, /) -> Next:
        """Pass on, and fail afterwards."""

        async def call(message: Any, /) -> Any:
            await next(message)
            raise ValueError

        return call


def passing(next: Next, _handler: HandlerInfo) -> Next:
    async def call(message: Any, /) -> Any:
        return await next(message)

    return call


@given(
    registered=st.dictionaries(st.integers(0, 3), st.sampled_from(BEHAVIOURS)),
    sent=st.lists(st.integers(0, 3), max_size=20),
    observed=st.booleans(),
    layered=st.booleans(),
    together=st.booleans(),
)
async def test_each_dispatch_has_the_outcome_of_the_model(
    *, registered: dict[int, str], sent: list[int], observed: bool, layered: bool, together: bool
) -> None:
    """Observed or not, with middleware or without, one by one or at once: the answers are the model's, one run each."""
    runs: list[object] = []
    feature = Feature("model")
    for number, behaviour in registered.items():
        feature.handles(MESSAGES[number])(handler(behaviour, runs))
    app = CqrsModule.for_root(
        feature,
        plugins=(),
        env={},
        instruments=[Passing()] * observed,
        middleware=[passing] * layered,
    )

    async with app as bus:
        pending = [bus.commands.execute(MESSAGES[which](place)) for place, which in enumerate(sent)]
        answers = await asyncio.gather(*pending) if together else [await each for each in pending]

    assert [outcome(answer) for answer in answers] == [
        expected(registered.get(which), place) for place, which in enumerate(sent)
    ]
    assert len(runs) == sum(which in registered for which in sent)


@given(
    subscribers=st.lists(
        st.tuples(st.sets(st.sampled_from([0, 1]), min_size=1), st.sampled_from(BEHAVIOURS)), max_size=6
    ),
    published=st.lists(st.sampled_from([0, 1]), max_size=6),
    observed=st.booleans(),
)
async def test_each_publish_has_one_delivery_per_subscriber_in_order(
    *, subscribers: list[tuple[set[int], str]], published: list[int], observed: bool
) -> None:
    """The report of a publish is the model's: who hears it, in the order of registration, each with its outcome."""
    runs: list[object] = []
    feature = Feature("model")
    for number, (events, behaviour) in enumerate(subscribers):
        heard = [EVENTS[event] for event in sorted(events)]
        feature.subscribes(*heard, name=str(number))(handler(behaviour, runs))

    async with CqrsModule.for_root(feature, plugins=(), env={}, instruments=[Passing()] * observed) as bus:
        for place, which in enumerate(published):
            report = await bus.events.publish(EVENTS[which](place))
            hearing = [
                (str(n), behaviour) for n, (events, behaviour) in enumerate(subscribers) if which in events
            ]
            assert [(d.subscriber, outcome(d.result)) for d in report.deliveries] == [
                (name, expected(behaviour, place)) for name, behaviour in hearing
            ]
            assert report.ok is all(behaviour == "success" for _, behaviour in hearing)

    assert len(runs) == sum(which in events for which in published for events, _ in subscribers)


trees = st.recursive(st.just([]), lambda children: st.lists(children, max_size=3), max_leaves=12)


@attrs.frozen
class Grow(Command[None, str]):
    """A command that sends one for each branch."""

    branches: list[Any]


@given(tree=trees, together=st.booleans())
async def test_identities_form_the_tree_of_dispatches(*, tree: list[Any], together: bool) -> None:
    """Every message of a tree has its own identity, the root's correlation, and its sender as cause."""
    seen: list[tuple[int, int, int | None]] = []
    feature = Feature("tree")

    @feature.handles(Grow)
    async def grow(command: Grow) -> Result[None, str]:
        context = current_context()
        assert context is not None
        seen.append((context.message_number, context.correlation_number, context.causation_number))
        before = len(seen)
        children = [app.commands.execute(Grow(branch)) for branch in command.branches]
        for child in [asyncio.gather(*children)] if together and children else children:
            await child
        caused = [cause for _, _, cause in seen[before:]]
        assert caused.count(context.message_number) == len(command.branches)
        return Success(None)

    app = CqrsModule.for_root(feature, plugins=(), env={}, instruments=[Passing()])
    async with app as bus:
        assert await bus.commands.execute(Grow(tree)) == Success(None)

    messages = [message for message, _, _ in seen]
    assert len(set(messages)) == len(messages)
    assert {correlation for _, correlation, _ in seen} == {messages[0]}
    assert [cause is None for _, _, cause in seen] == [True] + [False] * (len(seen) - 1)
    assert {cause for _, _, cause in seen[1:]} <= set(messages)
