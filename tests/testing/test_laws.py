"""Laws as data, and the classes made of them."""

import logging
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from hypothesis import Phase, reproduce_failure, settings
from hypothesis import strategies as st

from cqrs.testing import Law, LawBroken, check_law, hold, law, laws_for

QUICK = settings(max_examples=50, derandomize=True, database=None)


@law("A number is below the subject.", number=lambda most: st.integers(0, most - 1))
async def below(subject: int, number: int) -> None:
    await anyio.lowlevel.checkpoint()
    hold(number < subject, f"{number} is not below {subject}.")


@law("The subject is even.", applies=lambda subject: subject > 0)
async def even(subject: int) -> None:
    hold(subject % 2 == 0, f"{subject} is odd.")


def test_a_law_is_named_after_its_function() -> None:
    """The decorator gives a value with name, claim and what it draws."""
    assert isinstance(below, Law)
    assert (below.name, below.claim) == ("below", "A number is below the subject.")
    assert list(below.draws) == ["number"]


def test_a_class_has_one_test_for_each_law_and_its_claim() -> None:
    """The methods are plain: without pytest they can be called."""
    made = laws_for("TestTen", [below, even], subject=10, settings=QUICK)

    tests = {name: vars(made)[name] for name in vars(made) if name.startswith("test_")}
    assert {name: test.__doc__ for name, test in tests.items()} == {
        "test_below": below.claim,
        "test_even": even.claim,
    }
    for name in tests:
        getattr(made(), name)()


def test_a_law_that_does_not_apply_is_no_test() -> None:
    """Nothing that cannot fail counts as passed."""
    negative = Law("negative", "It is below zero.", even.check, applies=lambda subject: subject < 0)

    assert not hasattr(laws_for("TestTen", [below, negative], subject=10), "test_negative")


@pytest.mark.parametrize(
    ("subject", "options", "complaint"),
    [
        (0, {}, "No law applies"),
        (2, {"integer": st.just(1)}, "No law here has a strategy for integer"),
        (2, {"replay": {"beneath": None}}, "No law here has a replay for beneath"),
    ],
)
def test_what_no_law_has_is_refused(subject: int, options: dict[str, object], complaint: str) -> None:
    """A strategy that is spelled wrongly would silently change nothing."""
    laws = [even] if subject == 0 else [below, even]

    with pytest.raises(ValueError, match=complaint):
        laws_for("TestNothing", laws, subject=subject, **options)  # type: ignore[arg-type]  # a table


def test_a_strategy_can_be_replaced() -> None:
    """A user knows better than the suite what to draw."""
    broken = laws_for("TestTen", [below], subject=10, settings=QUICK, number=st.just(11))

    with pytest.raises(LawBroken, match="11 is not below 10"):
        vars(broken)["test_below"](broken())


def test_each_backend_has_its_tests() -> None:
    """The first is what is usual; another is named."""
    made = laws_for("TestTen", [even], subject=10, backends=("asyncio", "trio"))

    assert {name for name in vars(made) if name.startswith("test_")} == {"test_even", "test_even_on_trio"}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_example_runs_on_its_backend(backend: str) -> None:
    """The library that is asked for runs the check."""
    seen: set[str] = set()

    async def look(_subject: int, number: int) -> None:
        del number
        seen.add(type(anyio.Event()).__module__)

    watched = Law("watched", "It runs.", look, {"number": lambda _subject: st.integers()})
    check_law(watched, 1, backend=backend, settings=QUICK)  # type: ignore[arg-type]  # one of the two

    assert seen == {f"anyio._backends._{backend}"}


def refuted(**options: object) -> LawBroken:
    """What a law says that 7 breaks, and everything above it."""

    async def small(_subject: object, number: int) -> None:
        hold(number < 7, f"{number} is not small.")

    small_law = Law(
        "small", "Every number is small.", small, {"number": lambda _subject: st.integers(0, 1000)}
    )
    with pytest.raises(LawBroken) as broken:
        check_law(small_law, None, **({"settings": QUICK} | options))  # type: ignore[arg-type]  # a pair of options
    return broken.value


def test_a_broken_law_tells_claim_smallest_example_and_how_to_replay() -> None:
    """All a reader needs stands in the notes of the exception, claim first."""
    error = refuted()

    assert str(error) == "7 is not small."
    assert error.__notes__[0] == "Law small: Every number is small."
    told = "\n".join(error.__notes__)
    assert "number=7" in told
    assert "reproduce_failure(" in told
    assert "replay={'small': reproduce_failure(…)}" in told


def test_what_is_told_replays_the_example() -> None:
    """The printed call, given back, runs that one example and no other."""
    told = "\n".join(refuted().__notes__)
    version, blob = told.partition("@reproduce_failure('")[2].partition("')")[0].split("', b'")

    again = refuted(
        replay=reproduce_failure(version, blob.encode()), settings=settings(phases=[Phase.generate])
    )

    assert str(again) == "7 is not small."


USERS = """
from hypothesis import strategies as st
from cqrs.testing import hold, law, laws_for

@law("Every text is short.", text=lambda _subject: st.text())
async def short(subject: str, text: str) -> None:
    hold(len(text) < 3, f"{text!r} is long.")

TestTexts = laws_for("TestTexts", [short], subject="texts")
"""


def test_pytest_collects_the_class_and_prints_the_report(tmp_path: Path) -> None:
    """A user's file of ten lines: collected by its name, red with claim, smallest example and replay."""
    (tmp_path / "test_users.py").write_text(USERS)
    command = [
        sys.executable,
        "-Im",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "test_users.py",
    ]

    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "test_users.py::TestTexts::test_short" in run.stdout, run.stdout
    for told in ("Law short: Every text is short.", "text='000'", "reproduce_failure("):
        assert told in run.stdout


def test_what_the_core_logs_of_examples_does_not_bury_the_report(caplog: pytest.LogCaptureFixture) -> None:
    """Crashes that a law provokes are not lines of the program's log; afterwards everything is as before."""
    logger = logging.getLogger("cqrs")

    async def crash(_subject: object, number: int) -> None:
        logger.error("crashed %d", number)

    noisy = Law("noisy", "It logs.", crash, {"number": lambda _subject: st.integers()})
    check_law(noisy, None, settings=QUICK)
    assert caplog.records == []
    logger.error("after")
    assert [record.message for record in caplog.records] == ["after"]
