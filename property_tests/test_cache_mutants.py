"""The engine's state machine proves itself: it finds each wrong cache within the examples of the `ci` profile."""

import pytest

from property_tests.mutants.cache_engine import ENGINES, CacheMutant, drive_the_engine, fill_the_memory


@pytest.mark.parametrize("mutant", ENGINES, ids=lambda mutant: mutant.name)
def test_a_wrong_cache_is_found(mutant: CacheMutant) -> None:
    """A cache that does one thing wrong does not get through."""
    with mutant.patch(), pytest.raises((AssertionError, AttributeError)):
        mutant.check()


@pytest.mark.timeout(120)
def test_the_right_cache_gets_through() -> None:
    """Nothing is found where nothing is wrong."""
    drive_the_engine()
    fill_the_memory()
