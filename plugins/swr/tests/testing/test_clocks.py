from cqrs_swr.testing import SetChance, SteppedClock


def test_time_passes_on_both_clocks_and_one_of_them_can_be_set() -> None:
    """The other never goes back."""
    clock = SteppedClock()
    before = clock.monotonic_ns(), clock.time_ns()
    clock.advance(1.5)
    clock.step(-3600)

    assert clock.monotonic_ns() - before[0] == 1_500_000_000
    assert clock.time_ns() - before[1] == 1_500_000_000 - 3600 * 10**9


def test_chance_is_what_it_was_set_to() -> None:
    """Again and again."""
    chance = SetChance()
    chance.draw = 0.25

    assert [chance.random(), chance.random()] == [0.25, 0.25]
