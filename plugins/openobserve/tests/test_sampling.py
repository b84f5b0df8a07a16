"""Which traces get spans."""

from random import Random

import pytest
from cqrs_openobserve.sampling import bound_of, is_sampled
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased


@pytest.mark.parametrize("rate", [0.0, 1e-9, 0.1, 0.5, 0.999999, 1.0])
def test_it_decides_as_opentelemetry_does(rate: float) -> None:
    """For every trace, so that services with the same rate keep whole traces."""
    sampler, bound = TraceIdRatioBased(rate), bound_of(rate)
    numbers = [Random(seed).getrandbits(128) for seed in range(2_000)]
    numbers += [0, 1, 2**64 - 1, 2**64, 2**128 - 1, bound, max(0, bound - 1), bound + 2**64]

    for number in numbers:
        theirs = sampler.should_sample(None, number, "x").decision is Decision.RECORD_AND_SAMPLE
        assert is_sampled(number, bound) is theirs, hex(number)


@pytest.mark.parametrize(
    ("rate", "least", "most"), [(0.0, 0, 0), (1.0, 100_000, 100_000), (0.1, 9_715, 10_285)]
)
def test_the_share_is_the_rate(rate: float, least: int, most: int) -> None:
    """None, all, and a tenth within three standard deviations."""
    random, bound = Random(7), bound_of(rate)
    sampled = sum(is_sampled(random.getrandbits(128), bound) for _ in range(100_000))

    assert least <= sampled <= most
