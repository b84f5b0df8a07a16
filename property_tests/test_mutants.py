"""The suites prove themselves: each wrong implementation is found by the law that is there for it.

`just mutants` prints the whole table, law by mutant.
"""

import pytest

from cqrs import testing
from cqrs.testing import Law
from property_tests.mutants.__main__ import complaints, kills
from property_tests.mutants.mutant import Mutant, Suite, named
from property_tests.mutants.suites import SUITES

MUTANTS = named(SUITES)


@pytest.mark.parametrize(
    ("suite", "mutant"), MUTANTS, ids=[f"{suite.name}: {mutant.name}" for suite, mutant in MUTANTS]
)
def test_a_wrong_implementation_is_found(suite: Suite, mutant: Mutant) -> None:
    """In the hundred examples of the `ci` profile, which are always the same."""
    (law,) = [law for law in suite.laws if law.name == mutant.killed_by]

    assert kills(law, mutant)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_every_law_finds_something(suite: Suite) -> None:
    """A law that no mutant needs would be one that cannot fail."""
    assert {law.name for law in suite.laws} == {mutant.killed_by for mutant in suite.mutants}


def test_there_are_mutants_enough() -> None:
    """Of the seven suites of the core alone twenty, no name twice, and some of each; plugins have their own."""
    laws = {law for suite in vars(testing).values() if isinstance(suite, tuple) for law in suite}
    core = [suite for suite in SUITES if laws.issuperset(suite.laws)]

    assert len(core) == 7
    assert all(suite.mutants for suite in SUITES)
    assert len({mutant.name for _, mutant in named(core)}) >= 20


def test_a_mutant_that_dies_of_something_else_is_not_found() -> None:
    """A crash of the law or of the mutant proves nothing: the law that is there for it lets it through."""

    async def crashes(_subject: object) -> None:
        raise KeyError("a mistake of the mutant's")

    law = Law("crashes", "claim", crashes)

    with pytest.raises(KeyError):
        kills(law, Mutant("a", "crashes", None))
    assert not kills(law, Mutant("a", "another", None))
    assert kills(law, Mutant("a", "crashes", None, dies_of=KeyError))


def test_a_mutant_that_is_none_survives() -> None:
    """The right implementation breaks no law, so that the table would name it."""
    suite = SUITES[0]
    right = Mutant("nothing is wrong", suite.laws[0].name, suite.subjects[0])

    assert [law.name for law in suite.laws if kills(law, right)] == []


def test_the_table_names_survivors_and_idle_laws() -> None:
    """Each of the three complaints, and none where everything is found."""
    laws = tuple(Law(name, "claim", _nothing) for name in ("first", "second"))
    suite = Suite("suite", laws, (), (Mutant("a", "first", None), Mutant("b", "second", None)))

    assert list(complaints(suite, {"a": {"first"}, "b": {"second"}})) == []
    assert list(complaints(suite, {"a": {"second"}, "b": set()})) == [
        "! first does not find: a",
        "! survived: b",
        "! finds nothing: first",
    ]


async def _nothing(_subject: object) -> None: ...
