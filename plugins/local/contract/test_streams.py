"""Reference §6: streams."""

from typing import Any

FIELDS = {"fields": [{"name": "d", "type": "Float64"}, {"name": "t", "type": "Utf8"}], "settings": {}}


def test_a_stream_is_created_once(server: Any, stream: str) -> None:
    """With its columns and `_timestamp`; the second time is a 400."""
    first = server.api("POST", f"streams/{stream}?type=logs", json=FIELDS)
    again = server.api("POST", f"streams/{stream}?type=logs", json=FIELDS)

    assert (first.status_code, first.json()["message"]) == (200, "stream created")
    assert (again.status_code, again.json()["message"]) == (400, "stream already exists")
    assert server.schema(stream) == {"d": "Float64", "t": "Utf8", "_timestamp": "Int64"}


def test_settings_take_deltas_and_do_not_compare(server: Any, stream: str) -> None:
    """Adding twice is there twice: a client has to look first."""
    server.api("POST", f"streams/{stream}?type=logs", json=FIELDS)
    delta = {"full_text_search_keys": {"add": ["t"], "remove": []}, "data_retention": 7}
    for _ in range(2):
        assert server.api("PUT", f"streams/{stream}/settings?type=logs", json=delta).status_code == 200
    settings = server.api("GET", f"streams/{stream}/schema?type=logs").json()["settings"]
    assert (settings["data_retention"], settings["full_text_search_keys"][:1]) == (7, ["t"])


def test_unknown_streams_are_404(server: Any, stream: str) -> None:
    """Schema and settings."""
    assert server.api("GET", f"streams/{stream}/schema?type=logs").status_code == 404
    assert server.api("PUT", f"streams/{stream}/settings?type=logs", json={}).status_code == 404


def test_a_stream_goes(server: Any, stream: str) -> None:
    """And a second time there is none."""
    server.api("POST", f"streams/{stream}?type=logs", json=FIELDS)
    assert server.api("DELETE", f"streams/{stream}?type=logs&delete_all=true").status_code == 200
    assert server.api("DELETE", f"streams/{stream}_other?type=logs").status_code == 404


def test_streams_are_listed_by_type_and_word(server: Any, stream: str) -> None:
    """With what they hold; the schema only if it is asked for."""
    server.status(stream, [{"a": 1}, {"a": 2}])
    server.hits(f'SELECT a FROM "{stream}"', rows=2)
    (found,) = server.api("GET", f"streams?type=logs&keyword={stream}&fetchSchema=true").json()["list"]
    others = server.api("GET", f"streams?type=traces&keyword={stream}").json()["list"]
    assert (found["name"], found["stream_type"], others) == (stream, "logs", [])
    assert {"name": "a", "type": "Int64"} in found["schema"]


def test_a_setting_may_name_a_field_that_nobody_sent(server: Any, stream: str) -> None:
    """It is for later."""
    server.api("POST", f"streams/{stream}?type=logs", json=FIELDS)
    delta = {"index_fields": {"add": ["nofield"], "remove": []}}
    assert server.api("PUT", f"streams/{stream}/settings?type=logs", json=delta).status_code == 200


def test_a_setting_that_is_refused_makes_the_stream_all_the_same(server: Any, stream: str) -> None:
    """On old versions; new ones take it: so a client creates with empty settings and changes them then."""
    body = {"fields": [], "settings": {"full_text_search_keys": ["nofield"]}}
    first = server.api("POST", f"streams/{stream}?type=logs", json=body)
    again = server.api("POST", f"streams/{stream}?type=logs", json=FIELDS)
    assert first.status_code == (400 if server.old else 200)
    assert again.json()["message"] == "stream already exists"
