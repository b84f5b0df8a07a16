"""Reference §3 and §13.1, §13.12: records in, and what became of them."""

import gzip
import json
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

HOUR = 3_600_000_000


def stored(server: Any, stream: str, record: dict[str, object]) -> dict[str, Any]:
    assert server.status(stream, [record])["successful"] == 1
    (hit,) = server.hits(f'SELECT * FROM "{stream}"')
    return {key: value for key, value in hit.items() if key != "_timestamp"}


def test_the_answer_counts(server: Any, stream: str) -> None:
    """Per stream, under the normalised name."""
    assert server.status(stream, [{"a": 1}, {"a": 2}]) == {"name": stream, "successful": 2, "failed": 0}
    assert server.status(stream, {"a": 3})["successful"] == 1


def test_a_time_outside_the_window_fails_alone(server: Any, stream: str) -> None:
    """Five hours back, a day ahead: 200 all the same."""
    now = time.time_ns() // 1000
    times = [now, now - 5 * HOUR - 60_000_000, now - 5 * HOUR + 60_000_000, now + 25 * HOUR]
    counts = server.status(stream, [{"_timestamp": moment, "a": 1} for moment in times])

    assert (counts["successful"], counts["failed"]) == (2, 2)
    assert counts["error"].startswith("Too far data")


def test_the_error_is_that_of_the_last_record_that_failed(server: Any, stream: str) -> None:
    """There is one text for all of them."""
    far, old = time.time_ns() // 1000 + 25 * HOUR, time.time_ns() // 1000 - 6 * HOUR
    counts = server.status(stream, [{"_timestamp": moment, "a": 1} for moment in (far, old)])
    assert (counts["failed"], counts["error"][:12]) == (2, "Too old data")


def test_lines(server: Any, stream: str) -> None:
    """`_multi`: an object a line."""
    headers = {"content-type": "application/json"}
    answer = server.api("POST", f"{stream}/_multi", content=b'{"a": 1}\n{"a": 2}\n', headers=headers)
    assert answer.json()["status"] == [{"name": stream, "successful": 2, "failed": 0}]
    assert len(server.hits(f'SELECT a FROM "{stream}"', rows=2)) == 2


@pytest.mark.parametrize("given", ["nothing", 0, None])
def test_a_record_without_a_time_gets_that_of_the_server(server: Any, stream: str, given: object) -> None:
    """Left out, zero or null."""
    before = time.time_ns() // 1000
    server.status(stream, [{"a": 1} if given == "nothing" else {"a": 1, "_timestamp": given}])
    (hit,) = server.hits(f'SELECT _timestamp FROM "{stream}"')
    assert abs(hit["_timestamp"] - before) < 60_000_000


@pytest.mark.parametrize(
    "form", ["float", "digits", "rfc3339", "rfc2822", "spaced", "fraction", "nanoseconds"]
)
def test_other_forms_of_a_time(server: Any, stream: str, form: str) -> None:
    """A float loses what is behind its point; texts without a zone are UTC."""
    second = time.time_ns() // 10**9
    moment = datetime.fromtimestamp(second, UTC)
    given: dict[str, object] = {
        "float": second + 0.75,
        "digits": f"{second}000000",
        "rfc3339": moment.isoformat(),
        "rfc2822": format_datetime(moment),
        "spaced": f"{moment:%Y-%m-%d %H:%M:%S}",
        "fraction": f"{moment:%Y-%m-%dT%H:%M:%S}.000",
        "nanoseconds": second * 10**9,
    }
    server.status(stream, [{"_timestamp": given[form], "a": 1}])
    (hit,) = server.hits(f'SELECT _timestamp FROM "{stream}"')
    assert hit["_timestamp"] == second * 1_000_000


@pytest.mark.parametrize("scale", [1_000_000, 1_000, 1])
def test_integers_are_times_of_any_unit(server: Any, stream: str, scale: int) -> None:
    """Seconds, milliseconds, microseconds."""
    now = time.time_ns() // 1000
    server.status(stream, [{"_timestamp": now // scale, "a": 1}])
    (hit,) = server.hits(f'SELECT _timestamp FROM "{stream}"')
    assert hit["_timestamp"] == now // scale * scale


@pytest.mark.parametrize("moment", ["never", "2026-13-45"])
def test_a_time_that_cannot_be_read_fails_alone(server: Any, stream: str, moment: str) -> None:
    """The others are stored."""
    counts = server.status(stream, [{"_timestamp": moment, "a": 1}, {"a": 2}])
    assert (counts["successful"], counts["failed"]) == (1, 1)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"Service.Name": "a", "my-field": 1, "K8s/Pod Name": "x"},
            {"service_name": "a", "my_field": 1, "k8s_pod_name": "x"},
        ),
        ({"a": {"B-c": {"d": {"e": {"f": 1}}}}}, {"a_b_c_d": '{"e":{"f":1}}'}),
        ({"l": [1, {"x": 2}], "em": {}, "ea": [], "k": 1}, {"l": '[1,{"x":2}]', "k": 1}),
        ({"a": None, "b": {"c": 1}}, {"b_c": 1}),
        ({"a": None, "b": 1}, {"b": 1}),
        ({"été Ü€": 1, "日本": 2}, {"été_ü_": 1, "__": 2}),
    ],
)
def test_names_and_nesting(
    server: Any, stream: str, record: dict[str, object], expected: dict[str, object]
) -> None:
    """§3.5: lower case, one underscore for each other character, three levels, empty containers dropped."""
    assert stored(server, stream, record) == expected


def test_two_keys_of_one_column(server: Any, stream: str) -> None:
    """The first value wins on old versions, the last one on new ones."""
    assert stored(server, stream, {"a_b": 1, "a": {"b": 2}}) == {"a_b": 1 if server.old else 2}


def test_stream_names_are_normalised_on_the_way_in_alone(server: Any, stream: str) -> None:
    """§3.6: not in SQL."""
    raw = stream.replace("_", "-").upper()
    assert server.status(raw, [{"a": 1}])["name"] == stream
    assert server.hits(f'SELECT a FROM "{stream}"')
    assert server.search(f'SELECT a FROM "{raw}"').json()["code"] == 20002


def test_a_run_of_foreign_characters_is_one_underscore(server: Any, stream: str) -> None:
    """In the name of a stream; in that of a field each is one."""
    assert server.status(f"{stream}--My.App", [{"a": 1}])["name"] == f"{stream}_my_app"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((1, 2.5), "Float64"),
        ((1.5, 2), "Float64"),
        ((True, 1), "Utf8"),
        ((1, "x"), "Utf8"),
        (("x", 1), "Utf8"),
    ],
)
def test_columns_widen(server: Any, stream: str, values: tuple[object, ...], kind: str) -> None:
    """Int64 to Float64 to Utf8, Boolean to Utf8; nothing fails."""
    for value in values:
        assert server.status(stream, [{"d": value}])["successful"] == 1
    assert server.schema(stream)["d"] == kind


def test_a_stray_value_widens_a_column_for_ever(server: Any, stream: str) -> None:
    """§13.1: percentiles fail then, TRY_CAST survives."""
    for value in (1, 2.5, "abc"):
        assert server.status(stream, [{"d": value}])["successful"] == 1
    assert server.schema(stream)["d"] == "Utf8"
    sql = f'SELECT approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY {{}}) AS p FROM "{stream}"'
    assert server.search(sql.format("d")).json()["code"] == 20008
    assert server.hits(sql.format("TRY_CAST(d AS DOUBLE)"))[0]["p"] == 1.75


def test_too_many_columns_lose_the_batch_without_a_word(server: Any, stream: str) -> None:
    """§3.2: neither successful nor failed: a client has to count."""
    wide = {f"c{at}": at for at in range(1001)}
    counts = server.status(stream, [{"a": 1}, wide])
    assert (counts["successful"], counts["failed"]) == (0, 0)


@pytest.mark.parametrize("body", [b"", b"[{", b'[{"a": NaN}]', b'[{"a": "\xff"}]'])
def test_a_body_that_is_no_json_is_refused(server: Any, stream: str, body: bytes) -> None:
    """400 for all of it."""
    headers = {"content-type": "application/json"}
    assert server.api("POST", f"{stream}/_json", content=body, headers=headers).status_code == 400


def test_an_element_that_is_no_object(server: Any, stream: str) -> None:
    """400 for all on old versions, fails alone on new ones."""
    answer = server.ingest(stream, [{"a": 1}, 2])
    assert answer.status_code == (400 if server.old else 200)
    assert server.old or answer.json()["status"][0]["failed"] == 1


def test_encodings(server: Any, stream: str) -> None:
    """Gzip is taken, a broken one refused, an unknown one 415 on new versions."""
    body = json.dumps([{"a": 1}]).encode()

    def sent(encoding: str, content: bytes) -> int:
        headers = {"content-type": "application/json", "content-encoding": encoding}
        status: int = server.api("POST", f"{stream}/_json", content=content, headers=headers).status_code
        return status

    assert [sent("gzip", gzip.compress(body)), sent("gzip", b"no gzip"), sent("nosuch", body)] == [
        200, 400, 200 if server.old else 415,
    ]  # fmt: skip


def test_a_wrong_method(server: Any, stream: str) -> None:
    """404 on old versions, 405 on new ones."""
    assert server.api("PUT", f"{stream}/_json").status_code == (404 if server.old else 405)
