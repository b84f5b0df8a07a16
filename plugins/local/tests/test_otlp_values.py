"""Attribute values as column values."""

import math

import pytest
from cqrs_local.otlp_values import (
    attributes_of,
    microseconds,
    scope_columns,
    text_of_value,
    texts_of,
    value_of,
)
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)

TEXT = AnyValue(string_value="x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TEXT, "x"),
        (AnyValue(bool_value=True), True),
        (AnyValue(int_value=-3), -3),
        (AnyValue(double_value=1.5), 1.5),
        (AnyValue(double_value=math.nan), None),
        (AnyValue(double_value=-math.inf), None),
        (AnyValue(bytes_value=b"\x00\xff"), "00ff"),
        (AnyValue(), None),
        (AnyValue(array_value=ArrayValue(values=[TEXT, AnyValue(int_value=1)])), ["x", 1]),
        (AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=TEXT)])), {"k": "x"}),
    ],
)
def test_each_kind_of_value(value: AnyValue, expected: object) -> None:
    """Scalars keep their type, containers become lists and objects, what JSON cannot hold is left out."""
    assert value_of(value) == expected


def test_attributes_get_the_names_of_columns() -> None:
    """The last of names that become equal counts."""
    pairs = [
        KeyValue(key="Cqrs.Message", value=TEXT),
        KeyValue(key="cqrs_message", value=AnyValue(int_value=2)),
    ]

    assert attributes_of(pairs) == {"cqrs_message": 2}


def test_attributes_as_texts() -> None:
    """As in the traces stream of the server, where every attribute is a text."""
    assert texts_of({"a": 1, "b": 2.5, "c": True, "d": None, "e": [1, "ü"], "f": "x"}) == {
        "a": "1", "b": "2.5", "c": "true", "e": '[1,"ü"]', "f": "x",
    }  # fmt: skip
    assert text_of_value(None) is None


def test_a_scope_without_a_name_has_no_columns() -> None:
    """An empty text would be a value to filter by."""
    assert scope_columns(InstrumentationScope()) == {}
    assert scope_columns(InstrumentationScope(name="n", version="1")) == {
        "instrumentation_library_name": "n",
        "instrumentation_library_version": "1",
    }


def test_times_are_cut_to_microseconds() -> None:
    """The unit of `_timestamp`."""
    assert microseconds(1_999) == 1
