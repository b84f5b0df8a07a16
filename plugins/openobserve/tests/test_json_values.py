"""Looking into JSON of unknown shape."""

from cqrs_openobserve.json_values import mapping, sequence


def test_other_shapes_are_empty() -> None:
    """So that a reader needs no check at every step."""
    assert mapping({"a": 1}) == {"a": 1}
    assert sequence([1]) == [1]
    assert [dict(mapping(value)) for value in (None, [], "x", 1)] == [{}] * 4
    assert [list(sequence(value)) for value in (None, {}, "x", 1)] == [[]] * 4
