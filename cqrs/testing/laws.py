"""Laws as data: a claim, the check that would refute it, and the strategies that the check draws from."""

import logging
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, Literal, TypeVar, final

import anyio
import attrs
from hypothesis import given
from hypothesis import settings as Settings  # noqa: N812 - a class that its library spells in lower case
from hypothesis.strategies import SearchStrategy

Subject = TypeVar("Subject")

Backend = Literal["asyncio", "trio"]
Check = Callable[..., Coroutine[Any, Any, None]]
Draw = Callable[[Subject], SearchStrategy[object]]
# What hypothesis prints after a failure: ``reproduce_failure('6.170.15', b'…')``.
Replay = Callable[[Callable[..., None]], Callable[..., None]]


class LawBroken(AssertionError):  # noqa: N818 - a verdict, as a failed assertion is
    """A check has found an example that refutes its law."""


@final
@attrs.frozen(eq=False)
class Law(Generic[Subject]):
    """A claim about a subject, and what would refute it.

    Attributes:
        name: a Python identifier; the test is called ``test_<name>``.
        claim: one sentence that holds for every example.
        check: an async function of the subject and of what was drawn; raises ``LawBroken`` if the claim is wrong.
        draws: makes the strategy of each argument from the subject.
        applies: whether the subject makes this claim at all.
    """

    name: str
    claim: str
    check: Check
    draws: Mapping[str, Draw[Subject]] = attrs.field(factory=dict[str, Draw[Subject]])
    applies: Callable[[Subject], bool] = lambda _subject: True


def law(
    claim: str, *, applies: Callable[[Subject], bool] = lambda _subject: True, **draws: Draw[Subject]
) -> Callable[[Check], Law[Subject]]:
    """Make a law of an async function; the function's name is the law's.

    Args:
        claim: one sentence that holds for every example.
        applies: whether a subject makes this claim at all.
        draws: for each further argument of the function, what makes its strategy from the subject.
    """
    return lambda check: Law(check.__name__, claim, check, draws, applies)


def hold(condition: object, text: str) -> None:
    """Refute the law unless the condition is true.

    Args:
        condition: what the law claims of this example.
        text: what is the case instead.

    Raises:
        LawBroken: if the condition is false.
    """
    if not condition:
        raise LawBroken(text)


def laws_for(
    name: str,
    laws: Iterable[Law[Subject]],
    *,
    subject: Subject,
    backends: Iterable[Backend] = ("asyncio",),
    settings: Settings | None = None,
    replay: Mapping[str, Replay] | None = None,
    **strategies: SearchStrategy[object],
) -> type[object]:
    """Make a test class with one ``test_<law>`` for each law that applies to the subject.

    pytest collects it from the variable it is assigned to; without pytest, call its methods::

        TestPlaceOrder = laws_for("TestPlaceOrder", HANDLER_LAWS, subject=HandlerSubject(PlaceOrder, compose))

    A law that does not hold raises with the claim, the smallest example that was found, and what replays it.

    Args:
        name: of the class.
        laws: the laws.
        subject: what they are about; see the suite for its type.
        backends: the event loops to run them on; for each after the first there is a ``test_<law>_on_<backend>``.
        settings: hypothesis settings; those of the profile that is loaded when a test runs if not given.
        replay: by law, the ``reproduce_failure(…)`` that a failure printed.
        strategies: replace what the laws draw from, by argument name.

    Raises:
        ValueError: if no law applies, or a strategy or replay is for something that no law has.
    """
    applying = [each for each in laws if each.applies(subject)]
    _refuse_unknown("strategy", strategies, {argument for each in applying for argument in each.draws})
    _refuse_unknown("replay", replay or {}, {each.name for each in applying})
    if not applying:
        raise ValueError("No law applies to this subject.")
    methods: dict[str, object] = {"__doc__": f"Laws of {name.removeprefix('Test')}."}
    for number, backend in enumerate(backends):
        for each in applying:
            test = f"test_{each.name}" if number == 0 else f"test_{each.name}_on_{backend}"
            run = partial(
                check_law,
                each,
                subject,
                name=f"{name}_{test}",
                backend=backend,
                settings=settings,
                replay=(replay or {}).get(each.name),
                **{argument: s for argument, s in strategies.items() if argument in each.draws},
            )
            methods[test] = _method(test, each.claim, run)
    return type(name, (), methods)


def check_law(
    law: Law[Subject],
    subject: Subject,
    *,
    name: str = "",
    backend: Backend = "asyncio",
    settings: Settings | None = None,
    replay: Replay | None = None,
    **strategies: SearchStrategy[object],
) -> None:
    """Look for an example that refutes a law, each in an event loop of its own.

    What the core logs meanwhile goes to handlers of the logger ``cqrs`` itself, not to those of the root logger.

    Args:
        law: the law.
        subject: what it is about.
        name: an identifier that stands in the report and keeps apart what hypothesis remembers; the law's if not given.
        backend: the event loop.
        settings: hypothesis settings; those of the loaded profile if not given.
        replay: the ``reproduce_failure(…)`` that a failure printed.
        strategies: replace what the law draws from, by argument name.
    """
    examples = {argument: draw(subject) for argument, draw in law.draws.items()} | strategies

    def example(**drawn: object) -> None:
        anyio.run(partial(law.check, subject, **drawn), backend=backend)

    example.__name__ = example.__qualname__ = name or law.name
    test: Callable[..., None] = given(**examples)(example) if examples else example
    # A deadline would measure the machine; a second bug would hide the smallest example of the first.
    test = (
        Settings(settings, deadline=None, print_blob=True, report_multiple_bugs=False)(test)
        if examples
        else test
    )
    try:
        with _unheard():
            (replay(test) if replay else test)()
    except BaseException as error:
        error.__notes__ = [f"Law {law.name}: {law.claim}", *getattr(error, "__notes__", ())]
        if examples:
            error.add_note(f"In a class of laws: laws_for(…, replay={{{law.name!r}: reproduce_failure(…)}})")
        raise


@contextmanager
def _unheard() -> Generator[None]:
    # Hundreds of examples crash handlers on purpose: what the core logs of that would bury the report.
    logger, quiet = logging.getLogger("cqrs"), logging.NullHandler()
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(quiet)
    try:
        yield
    finally:
        logger.removeHandler(quiet)
        logger.propagate = propagated


def _method(name: str, claim: str, run: Callable[[], None]) -> Callable[[object], None]:
    def test(_self: object) -> None:
        run()

    test.__name__ = name
    test.__doc__ = claim
    return test


def _refuse_unknown(what: str, given: Iterable[str], known: set[str]) -> None:
    if unknown := sorted(set(given) - known):
        raise ValueError(
            f"No law here has a {what} for {', '.join(unknown)}; there are {', '.join(sorted(known))}."
        )
