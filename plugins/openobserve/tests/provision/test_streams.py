"""The streams as they should be."""

from collections.abc import Callable

import orjson
from cqrs_openobserve.columns import columns_of
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.names import field_name
from cqrs_openobserve.provision.streams import compare, schema_of, streams_of
from hypothesis import given
from hypothesis import strategies as st


def test_there_is_a_stream_per_kind_with_every_column(configure: Callable[..., Configuration]) -> None:
    """Under the server's names, with its types; the time column comes by itself."""
    streams = streams_of(configure(stream_events="My--Events"))
    assert [(stream.name, stream.kind) for stream in streams] == [
        ("cqrs_commands", "command"),
        ("cqrs_queries", "query"),
        ("my_events", "event"),
    ]
    for stream in streams:
        body = orjson.loads(stream.creation())
        assert body["settings"] == {}
        assert {field["name"]: field["type"] for field in body["fields"]} | {"_timestamp": "Int64"} == {
            column.name: column.type for column in columns_of(stream.kind)
        }
        assert all(field["name"] == field_name(field["name"]) for field in body["fields"])


def test_a_stream_that_is_as_it_should_be_has_no_difference(configure: Callable[..., Configuration]) -> None:
    """Other names of the same type and columns of the user's own do not count."""
    stream = streams_of(configure())[0]
    schema = {column.name: column.type for column in stream.columns} | {
        "field_sku": "Utf8",
        "level": "LargeUtf8",
    }
    assert compare(stream, schema) == compare(stream, schema | {"message": "Utf8View"})
    assert (compare(stream, schema).missing, compare(stream, schema).widened) == ((), ())


def test_missing_and_widened_columns_are_named(configure: Callable[..., Configuration]) -> None:
    """Each with what it is."""
    stream = streams_of(configure())[0]
    schema: dict[str, str] = {column.name: column.type for column in stream.columns}
    del schema["outcome"]
    found = compare(stream, schema | {"duration_ms": "Utf8"})
    assert [column.name for column in found.missing] == ["outcome"]
    assert [(column.name, kind) for column, kind in found.widened] == [("duration_ms", "Utf8")]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_answer_can_be_read(body: object) -> None:
    """A schema or None, never an exception."""
    assert schema_of(body) is None or isinstance(schema_of({"schema": body}), dict)
