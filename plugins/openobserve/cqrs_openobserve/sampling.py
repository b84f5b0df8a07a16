"""Which traces get spans: the decision that OpenTelemetry's own ratio sampler makes, as one comparison."""

from typing import Final

LOW_BITS: Final = (1 << 64) - 1


def bound_of(rate: float) -> int:
    """Give the bound that the low 64 bits of a sampled trace's id lie below.

    Args:
        rate: share of traces, from 0 to 1.
    """
    return round(rate * (LOW_BITS + 1))


def is_sampled(trace_number: int, bound: int) -> bool:
    """Tell whether a trace gets spans: every service with the same rate decides alike.

    Args:
        trace_number: the trace's id.
        bound: what ``bound_of`` gave for the rate.
    """
    return trace_number & LOW_BITS < bound
