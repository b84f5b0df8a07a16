"""Looking into JSON of unknown shape."""

from cqrs_openobserve.json_values import mapping, moment, sequence


def test_other_shapes_are_empty() -> None:
    """So that a reader needs no check at every step."""
    assert mapping({"a": 1}) == {"a": 1}
    assert sequence([1]) == [1]
    assert [dict(mapping(value)) for value in (None, [], "x", 1)] == [{}] * 4
    assert [list(sequence(value)) for value in (None, {}, "x", 1)] == [[]] * 4


def test_a_time_of_somebody_else_is_told_whatever_it_is() -> None:
    """Also one beyond the calendar."""
    assert moment(1_700_000_000_000_000) == "2023-11-14T22:13:20Z"
    assert {moment(micros) for micros in (2**62, -(2**62), 2**63 * 10**400)} == {"a time that is none"}
