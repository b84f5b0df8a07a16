"""Settings of a stream."""

from cqrs_local.stream_settings import changed, complete
from returns.result import Failure, Success


def test_defaults_stand_where_nothing_was_said() -> None:
    """What was set wins; a stream made by a record has distinct values enabled, as on the server."""
    assert complete({"data_retention": 3}, by_ingestion=True)["data_retention"] == 3
    assert complete({}, by_ingestion=True)["enable_distinct_fields"] is True
    assert complete({}, by_ingestion=False)["enable_distinct_fields"] is False


def test_lists_take_additions_and_removals() -> None:
    """Additions are not de-duplicated: a client has to look first."""
    first = changed({}, {"index_fields": {"add": ["a", "b"], "remove": []}}).unwrap()
    second = changed(first, {"index_fields": {"add": ["b"], "remove": ["a"]}}).unwrap()

    assert second["index_fields"] == ["b", "b"]


def test_anything_else_is_replaced() -> None:
    """Numbers and flags."""
    assert changed({"data_retention": 1}, {"data_retention": 30}) == Success({"data_retention": 30})


def test_partition_keys_are_numbered() -> None:
    """As the server gives them back."""
    key = {"field": "a", "types": "value"}
    after = changed({}, {"partition_keys": {"add": [key], "remove": []}}).unwrap()

    assert after["partition_keys"] == {"L0": key}
    assert changed(after, {"partition_keys": {"remove": [key]}}) == Success({"partition_keys": {}})


def test_a_delta_of_another_form_is_refused() -> None:
    """The setting is named."""
    for wrong in ({"set": ["a"]}, {"add": "a"}, {"remove": 1}):
        assert changed({}, {"index_fields": wrong}) == Failure(
            "setting [index_fields] takes lists under add and remove"
        )


def test_the_settings_before_stay() -> None:
    """A change that is not stored afterwards changed nothing."""
    before: dict[str, object] = {"index_fields": ["a"]}
    changed(before, {"index_fields": {"add": ["b"]}})

    assert before == {"index_fields": ["a"]}
