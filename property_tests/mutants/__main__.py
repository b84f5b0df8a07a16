"""Run every law against every mutant of its suite and print the table; `just mutants`.

Exits 1 if a mutant survives, if the law that has to find one does not, or if a law finds none.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable

from cqrs.testing import Law, check_law
from property_tests.mutants.cache_engine import ENGINES, engine_table
from property_tests.mutants.mutant import Mutant, Suite
from property_tests.mutants.suites import SUITES

# The `ci` profile, without the search for the smallest example: a mutant is dead or not.
CI = hypothesis.settings(
    max_examples=100,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def kills(law: Law[object], mutant: Mutant, examples: int = CI.max_examples) -> bool:
    """Whether a law finds an example that refutes it.

    What the law that is there for it raises besides what the mutant has to die of goes on its way.
    """
    if not law.applies(mutant.subject):
        return False
    # What an exporter says on standard error when it ends would bury the table.
    with mutant.patch(), redirect_stderr(StringIO()):
        try:
            check_law(law, mutant.subject, settings=hypothesis.settings(CI, max_examples=examples))
        except mutant.dies_of:
            return True
        except (FlakyStrategyDefinition, Unsatisfiable):  # says something of the draws, nothing of the mutant
            return False
        except BaseException as error:
            # That it dies of something else proves nothing of the law.
            if law.name == mutant.killed_by or isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            return False
    return False


def table(suite: Suite) -> Iterator[str]:
    """The table of one suite, and below it what is wrong with it."""
    found: dict[str, set[str]] = {}
    yield f"\n## {suite.name}: {len(suite.laws)} laws, {len(suite.mutants)} mutants\n"
    yield "".join(f"  {chr(ord('A') + place)}  {law.name}\n" for place, law in enumerate(suite.laws))
    width = max(len(mutant.name) for mutant in suite.mutants)
    yield f"  {'':{width}}  {' '.join(chr(ord('A') + place) for place in range(len(suite.laws)))}"
    for mutant in suite.mutants:
        found[mutant.name] = {
            law.name for law in suite.laws if kills(law, mutant, _examples(suite, law, mutant))
        }
        marks = " ".join("x" if law.name in found[mutant.name] else "·" for law in suite.laws)
        yield f"  {mutant.name:{width}}  {marks}"
    yield from complaints(suite, found)


def _examples(suite: Suite, law: Law[object], mutant: Mutant) -> int:
    return CI.max_examples if law.name == mutant.killed_by else suite.examples


def complaints(suite: Suite, found: dict[str, set[str]]) -> Iterator[str]:
    """What is wrong with a suite, each line beginning with `!`."""
    for mutant in suite.mutants:
        if not found[mutant.name]:
            yield f"! survived: {mutant.name}"
        elif mutant.killed_by not in found[mutant.name]:
            yield f"! {mutant.killed_by} does not find: {mutant.name}"
    for law in suite.laws:
        if not any(law.name in names for names in found.values()):
            yield f"! finds nothing: {law.name}"


def main(names: list[str]) -> int:
    """Print the tables of the suites that are named, or of all."""
    logging.disable(logging.CRITICAL)  # they crash on purpose
    began, wrong = time.monotonic(), 0
    for suite in SUITES:
        if not names or suite.name in names:
            for line in table(suite):
                wrong += line.startswith("!")
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    mutants = sum(len(suite.mutants) for suite in SUITES if not names or suite.name in names)
    if not names or "cache" in names:
        for line in engine_table():
            wrong += line.startswith("!")
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        mutants += len(ENGINES)
    verdict = f"{wrong} complaints" if wrong else "every mutant is found, and every law finds one"
    sys.stdout.write(f"\n{mutants} mutants: {verdict} ({time.monotonic() - began:.0f} s)\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
