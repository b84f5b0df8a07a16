"""Names and flattening, by the examples of the reference."""

import pytest
from cqrs_local.normalise import NestingError, field_name, flatten, stream_name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("cqrs-commands", "cqrs_commands"),
        ("My--App.x", "my_app_x"),
        ("a:b", "a:b"),
        ("été", "_t_"),
        ("../../etc/passwd", "_etc_passwd"),
    ],
)
def test_a_run_of_foreign_characters_in_a_stream_name_becomes_one_underscore(raw: str, name: str) -> None:
    """The name of a stream is made of letters, digits, `_` and `:`, in lower case."""
    assert stream_name(raw) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Service.Name", "service_name"),
        ("my-field", "my_field"),
        ("K8s/Pod Name", "k8s_pod_name"),
        ("a--b", "a__b"),
        ("été Ü€", "été_ü_"),
        ("日本", "__"),
        ("", ""),
        ("#segment", "_segment"),
    ],
)
def test_each_foreign_character_in_a_field_name_becomes_an_underscore(raw: str, name: str) -> None:
    """One underscore per character, lower case, letters with case stay."""
    assert field_name(raw) == name


@pytest.mark.parametrize(
    ("record", "row"),
    [
        ({"a": {"B-c": {"d": {"e": {"f": 1}}}}}, {"a_b_c_d": '{"e":{"f":1}}'}),
        ({"l": [1, {"x": 2}], "em": {}, "ea": []}, {"l": '[1,{"x":2}]'}),
        ({"a": None, "b": {"c": 1}}, {"b_c": 1}),
        ({"a_b": 1, "a": {"b": 2}}, {"a_b": 2}),
        ({"a": {"b": True, "c": 1.5, "d": "x", "e": None, "f": []}}, {"a_b": True, "a_c": 1.5, "a_d": "x"}),
        ({"n": 2**64 - 1, "m": 2**63 - 1}, {"n": float(2**64 - 1), "m": 2**63 - 1}),
    ],
)
def test_a_record_becomes_a_flat_row(record: dict[str, object], row: dict[str, object]) -> None:
    """Three levels become columns, deeper ones and lists text, empty things nothing, the last of equal keys wins."""
    assert flatten(record, nesting=127) == row


def test_what_is_nested_too_deep_is_refused_without_recursion() -> None:
    """A record that would exhaust the stack of a recursive walk raises one clear error."""
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(NestingError):
        flatten({"a": deep}, nesting=127)
