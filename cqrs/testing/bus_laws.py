"""The laws of the buses of an app: hold with your own middleware, instruments and plugins around every handler."""

from collections.abc import Callable, Sequence
from typing import Final, cast, final

import anyio
import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from returns.result import Failure, Success

from cqrs.app import CqrsApp
from cqrs.context import current_context
from cqrs.faults import AppClosed
from cqrs.features import Feature
from cqrs.messages import AnyMessage, Command, Event
from cqrs.problems import Code
from cqrs.testing.bus_subject import BusSubject
from cqrs.testing.doubles import RecordingInstrument
from cqrs.testing.event_laws import EVENT_LAWS
from cqrs.testing.handler_laws import dispatch
from cqrs.testing.interruption import MOST_SUSPENSIONS, interrupt
from cqrs.testing.laws import Law, hold, law
from cqrs.testing.scripted import (
    EVENTS,
    MESSAGES,
    Answer,
    Behaviour,
    First,
    Handle,
    Happened,
    answer_of,
    behaviours,
    numbered,
    scripted,
    shape,
)


def _registered(_subject: BusSubject) -> SearchStrategy[object]:
    # One behaviour for each message, or none: drawn as a dictionary most examples would be nearly empty.
    return st.tuples(*[behaviours() | st.none()] * len(MESSAGES))


def _sent(_subject: BusSubject) -> SearchStrategy[object]:
    return st.lists(st.sampled_from(range(len(MESSAGES))), min_size=1, max_size=12)


def _switch(_subject: BusSubject) -> SearchStrategy[object]:
    return st.booleans()


def _behaviour(_subject: BusSubject) -> SearchStrategy[object]:
    return behaviours()


def _any_message(_subject: BusSubject) -> SearchStrategy[object]:
    return st.sampled_from([*MESSAGES, *EVENTS])


def _few(_subject: BusSubject) -> SearchStrategy[object]:
    return st.integers(1, 3)


def _tree(_subject: BusSubject) -> SearchStrategy[object]:
    return st.recursive(st.just(()), lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=12)


@law(
    "Each dispatch has exactly one outcome, that of its handler, which runs once; each is observed once.",
    registered=_registered,
    sent=_sent,
    observed=_switch,
    together=_switch,
)
async def gives_one_outcome(
    subject: BusSubject,
    registered: tuple[Behaviour | None, ...],
    sent: list[int],
    *,
    observed: bool,
    together: bool,
) -> None:
    """Send commands and queries, one by one or all at once, and compare with a model."""
    heard: list[object] = []
    feature = Feature("laws")
    for which, behaviour in enumerate(registered):
        if behaviour is not None:
            feature.handles(MESSAGES[which])(scripted(behaviour, heard))
    told = RecordingInstrument()
    async with subject.compose(feature, [told] * observed) as app:
        answers = await _answers(
            app, [numbered(MESSAGES[which], place) for place, which in enumerate(sent)], together=together
        )
    expected = [answer_of(registered[which], place) for place, which in enumerate(sent)]
    hold(list(map(shape, answers)) == expected, f"expected {expected}, got {answers}.")
    handled = [
        numbered(MESSAGES[which], place) for place, which in enumerate(sent) if registered[which] is not None
    ]
    hold(
        sorted(map(repr, heard)) == sorted(map(repr, handled)),
        f"the handlers heard {heard}, sent was {handled}.",
    )
    seen = sorted(
        str(shape(each.answer)) for each in told.observations if not isinstance(each.answer, BaseException)
    )
    came = sorted(
        str(each) for each, which in zip(expected, sent, strict=True) if registered[which] is not None
    )
    hold(not observed or seen == came, f"observed {seen}, there was {came}.")


async def _answers(app: CqrsApp, messages: Sequence[object], *, together: bool) -> list[Answer]:
    answers: dict[int, Answer] = {}

    async def send(place: int, message: object) -> None:
        (answers[place],) = await dispatch(app, message)

    if together:
        async with anyio.create_task_group() as group:
            for place, message in enumerate(messages):
                group.start_soon(send, place, message)
    else:
        for place, message in enumerate(messages):
            await send(place, message)
    return [answers[place] for place in range(len(messages))]


@law(
    "A second handler of a message keeps the app from starting and is named; the same one registered twice is not.",
    first=_behaviour,
    same=_switch,
)
async def refuses_a_second_handler(subject: BusSubject, first: Behaviour, *, same: bool) -> None:
    """Check an app whose feature handles one command twice."""
    one, other = scripted(first, []), scripted("success", [])
    feature = Feature("laws")
    feature.handles(First)(one)
    feature.handles(First)(one if same else other)
    checked = subject.compose(feature, ()).check()
    codes = {problem.code for problem in checked.failure()} if isinstance(checked, Failure) else set[Code]()
    hold(
        (Code.DUPLICATE_HANDLER in codes) is not same,
        f"{'the same' if same else 'a second'} handler: {checked}.",
    )


@law(
    "A dispatch that is cancelled, wherever it waits, ends as cancelled and is observed so: it is no answer.",
    message=_any_message,
    subscribers=_few,
)
async def keeps_cancellation(
    subject: BusSubject, message: type[AnyMessage] | type[Event], subscribers: int
) -> None:
    """Cancel at the first suspension, then at the second, until one run gets through."""
    for at in range(1, MOST_SUSPENSIONS + 1):
        told, feature = RecordingInstrument(), Feature("laws")
        if issubclass(message, Event):
            for number in range(subscribers):
                feature.subscribes(message, name=f"s{number}")(scripted("success", []))
        else:
            feature.handles(message)(scripted("success", []))
        async with subject.compose(feature, [told]) as app:
            run = await interrupt(lambda app=app: dispatch(app, numbered(message, 1)), at)  # type: ignore[misc]  # mypy infers no default
        outcomes = {each.outcome for each in told.observations}
        if not run.reached:
            return
        hold(run.ended, f"cancelled where it waits for time {at}, it answered {run.answer}.")
        hold(
            outcomes <= {"cancelled", "success"},
            f"cancelled where it waits for time {at}, observed as {outcomes}.",
        )


@final
@attrs.frozen
class Grow(Command[object, object]):
    """A command that sends one for each of its branches."""

    branches: tuple[object, ...]


@law(
    "Each message has an identity of its own, the correlation of the first, and its sender as cause; siblings do not mix.",
    tree=_tree,
    together=_switch,
)
async def keeps_contexts_apart(subject: BusSubject, tree: tuple[object, ...], *, together: bool) -> None:
    """Let handlers send commands as a tree, one by one or all at once."""
    seen: list[tuple[int, int, int | None]] = []
    mixed: list[str] = []
    feature = Feature("laws")
    feature.handles(Grow)(_growing(seen, mixed, lambda: app, together=together))
    app = subject.compose(feature, [RecordingInstrument()])
    async with app:
        await app.commands.execute(Grow(tree))
        after = current_context()
    hold(after is None, "a context was left behind for the caller.")
    hold(not mixed, f"{mixed}.")
    identities = [message for message, _, _ in seen]
    hold(len(set(identities)) == len(identities), "two messages have one identity.")
    hold(
        {correlation for _, correlation, _ in seen} == {identities[0]},
        "not all have the correlation of the first.",
    )
    causes = [cause for _, _, cause in seen]
    hold(causes[0] is None and set(causes[1:]) <= set(identities), "a cause is no message of this tree.")


def _growing(
    seen: list[tuple[int, int, int | None]],
    mixed: list[str],
    running: Callable[[], CqrsApp],
    *,
    together: bool,
) -> Handle:
    async def grow(message: object) -> Answer:
        context = current_context()
        if context is None:
            mixed.append("a handler that is observed has no context")
            return Success(None)
        own = context.message_number
        seen.append((own, context.correlation_number, context.causation_number))
        branches = cast("Sequence[tuple[object, ...]]", cast("Grow", message).branches)
        before = len(seen)
        await _answers(running(), [Grow(branch) for branch in branches], together=together)
        if [cause for _, _, cause in seen[before:]].count(own) != len(branches):
            mixed.append("a message was not caused by its sender")
        if (still := current_context()) is None or still.message_number != own:
            mixed.append("a handler's context changed under it")
        return Success(None)

    return grow


@law(
    "Before it starts and after it has stopped, an app says so and runs nothing.",
    behaviour=_behaviour,
)
async def says_that_it_is_closed(subject: BusSubject, behaviour: Behaviour) -> None:
    """Dispatch before, and after."""
    heard: list[object] = []
    feature = Feature("laws")
    feature.handles(First)(scripted(behaviour, heard))
    feature.subscribes(Happened, name="s")(scripted(behaviour, heard))
    app = subject.compose(feature, ())
    for when in ("before", "after"):
        (answer,) = await dispatch(app, First(1))
        report = await app.events.publish(Happened(1))
        hold(shape(answer) is AppClosed, f"{when} it ran, a command was answered with {answer}.")
        hold(isinstance(report.fault, AppClosed) and not report.ok, f"{when} it ran, publish gave {report}.")
        hold(not heard, f"{when} it ran, handlers heard {heard}.")
        async with app:
            pass


BUS_LAWS: Final[tuple[Law[BusSubject], ...]] = (
    gives_one_outcome,
    refuses_a_second_handler,
    *EVENT_LAWS,
    keeps_cancellation,
    keeps_contexts_apart,
    says_that_it_is_closed,
)
