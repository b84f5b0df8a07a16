"""Lines of the app's own log as rows."""

import json

from cqrs_openobserve.feeds import Account, Batch
from cqrs_openobserve.log_lines import MOST_BYTES, LogLine, LogRows
from cqrs_openobserve.records import Anchor
from cqrs_openobserve.service import Service
from cqrs_openobserve.testing import rows_of

ROWS = LogRows("app_logs", Service("orders", "1", None, "h"), "inst")


def test_a_line_says_what_is_known() -> None:
    """What is empty is left out."""
    line = LogLine(
        5_000,
        "WARN",
        "shop",
        "low stock",
        "order",
        "shop.py",
        7,
        "Main",
        {"sku": "a", "n": 5},
        "",
        "",
        1,
        2,
        3,
        "req-1",
    )
    row = json.loads(ROWS.row(line, 5))
    assert row.pop("record_id").startswith("inst-l")
    assert row == {
        "_timestamp": 5,
        "level": "WARN",
        "message": "low stock",
        "logger": "shop",
        "code_function": "order",
        "code_file": "shop.py",
        "code_line": 7,
        "thread_name": "Main",
        "trace_id": f"{1:032x}",
        "span_id": f"{2:016x}",
        "message_id": f"{3:032x}",
        "correlation_id": "req-1",
        "service_name": "orders",
        "service_version": "1",
        "service_instance_id": "inst",
        "host_name": "h",
        "field_sku": "a",
        "field_n": "5",
    }


def test_texts_are_redacted_and_secrets_by_name_too() -> None:
    """In the line, its extras and the traceback."""
    extra = {"to": "bob@example.com", "password": "hunter2", "inner": {"token": "x"}}
    line = LogLine(
        0, "INFO", "a", "to bob@example.com", extra=extra, exception_type="E", traceback="E: +49 171 1234567"
    )
    row = json.loads(ROWS.row(line, 5))

    assert (row["message"], row["exception_stacktrace"]) == ("to <email>", "E: <phone>")
    assert (row["field_to"], row["field_password"]) == ("<email>", "<redacted>")
    assert row["field_inner"] == '{"token":"<redacted>"}'


def test_extras_stay_within_their_size() -> None:
    """What does not fit any more is left out."""
    row = json.loads(
        ROWS.row(LogLine(0, "INFO", "a", "b", extra={f"x{i}": "y" * 8_000 for i in range(50)}), 5)
    )

    extras = [value for name, value in row.items() if name.startswith("field_")]
    assert extras[0] == "y" * 8_000
    assert sum(map(len, extras)) <= MOST_BYTES


def test_a_batch_is_the_payload_of_the_stream() -> None:
    """With the time of each line."""
    batch = Batch([LogLine(n, "INFO", "a", "b") for n in (7_000, 9_000)], Anchor(10**18, 9_000), Account())
    (payload,) = ROWS(batch)

    assert (payload.path, payload.records, payload.oldest_ns) == ("/app_logs/_json", 2, 7_000)
    assert [row["_timestamp"] for row in rows_of(payload)] == [10**15 - 2, 10**15]
