"""What an answer means: the table, row by row."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cqrs_openobserve.answers import Answer, Trouble, counts_of, meaning, one_line, retry_after_s

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def body(*entries: tuple[object, object]) -> bytes:
    import orjson

    return orjson.dumps(
        {"code": 200, "status": [{"name": "s", "successful": g, "failed": b} for g, b in entries]}
    )


@pytest.mark.parametrize("status", [200, 206])
@pytest.mark.parametrize(
    ("entries", "action", "delivered", "rejected"),
    [
        ([(10, 0)], "settle", 10, 0),
        ([(4, 0), (6, 0)], "settle", 10, 0),
        ([(10, 0), (10, 0)], "settle", 10, 0),
        ([(7, 3)], "settle", 7, 3),
        ([(0, 10)], "settle", 0, 10),
        ([(5, 3)], "settle", 5, 3),
        ([(8, 5)], "settle", 8, 2),
        ([(0, 0)], "again", 0, 0),
        ([(9, 0)], "again", 9, 0),
        ([], "again", 0, 0),
    ],
)
def test_counts_decide(
    status: int, entries: list[tuple[int, int]], action: str, delivered: int, rejected: int
) -> None:
    """Only what the server counted is delivered, never more than was sent; 0/0 is tried again."""
    meant = meaning(Answer(status, body=body(*entries)), 10, NOW)
    assert (meant.action, meant.delivered, meant.rejected) == (action, delivered, rejected)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"status":"ok"}',
        b'{"status":{"successful":10}}',
        b'{"status":[10]}',
        b'{"status":[{"successful":"10","failed":0}]}',
        b'{"status":[{"successful":true,"failed":false}]}',
        b'{"status":[{"successful":true,"failed":0}]}',
        b'{"status":[{"successful":-1,"failed":0}]}',
        b'{"status":[{"successful":10.0,"failed":0}]}',
        b"[" * 5000,
    ],
)
def test_a_200_that_is_not_understood_is_not_delivered(text: bytes) -> None:
    """A captive portal's page is no delivery."""
    meant = meaning(Answer(200, body=text), 10, NOW)
    assert (meant.action, meant.delivered) == ("again", 0)
    assert "OpenObserve" in meant.hint


@pytest.mark.parametrize(
    ("status", "action"),
    [
        *[(status, "split") for status in (400, 413, 422)],
        *[(status, "wait") for status in (408, 425, 429, 500, 501, 502, 503, 504, 599)],
        *[(status, "blocked") for status in (300, 301, 302, 304, 307, 308)],
        *[(status, "blocked") for status in (401, 403, 404, 405, 407, 410, 415, 418, 431)],
        *[(status, "again") for status in (201, 202, 204, 207)],
    ],
)
def test_a_status_decides(status: int, action: str) -> None:
    """Every status has a meaning, and what somebody can mend names a variable."""
    meant = meaning(Answer(status, excerpt="because"), 10, NOW)
    assert meant.action == action
    assert str(status) in meant.text
    assert meant.server_error == (status == 500)
    if action == "blocked":
        assert "OPENOBSERVE_" in meant.hint


@pytest.mark.parametrize(
    "cause", ["refused", "unresolved", "timeout", "reset", "tls", "forbidden", "unreadable"]
)
def test_every_trouble_waits_and_names_a_variable(cause: str) -> None:
    """No answer is no loss."""
    meant = meaning(Trouble(cause, "what happened"), 10, NOW)  # type: ignore[arg-type]  # one of the causes
    assert (meant.action, meant.text) == ("wait", "what happened")
    assert "OPENOBSERVE_" in meant.hint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2),
        ("3600", 3600),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30),
        (format_datetime(NOW - timedelta(seconds=30), usegmt=True), None),
        ("", None),
        ("abc", None),
        ("-1", None),
        ("0", None),
        ("1e309", None),
        ("nan", None),
        ("1_0", None),
        ("٣", None),
        ("Wed, 99 Foo 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    """Seconds or a date; garbage and the past mean nothing."""
    assert retry_after_s(text, NOW) == seconds
    assert meaning(Answer(429, {"retry-after": text}), 1, NOW).retry_after_s == seconds


def test_a_stream_that_is_being_deleted_is_waited_for() -> None:
    """That 400 is about no record."""
    meant = meaning(Answer(400, excerpt='{"message":"Error# stream [s] is being deleted"}'), 1, NOW)
    assert meant.action == "wait"
    assert "once the server has deleted it" in meant.hint


def test_a_redirect_is_told_with_its_target_but_not_its_query() -> None:
    """A query may carry a token."""
    meant = meaning(Answer(302, {"location": "https://login.example.com/x?token=canary"}), 1, NOW)
    assert "https://login.example.com/x" in meant.text
    assert "canary" not in meant.text


def test_counts_are_summed_over_streams() -> None:
    """A pipeline on the server may spread records over several."""
    assert counts_of({"status": [{"successful": 1, "failed": 2}, {"successful": 3, "failed": 0}]}) == (4, 2)


def test_somebody_elses_text_becomes_one_line() -> None:
    """No line feed, no escape code, no bidirectional override reaches a terminal."""
    assert one_line(" a\x1b[31m\r\nb\u202e c\t ") == "a [31m b c"
