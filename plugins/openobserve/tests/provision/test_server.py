"""What is said of an answer that is none."""

from typing import Any

import pytest
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.provision.server import (
    content,
    masked,
    not_yet,
    refusal,
    rows_of,
    second_version,
    succeeded,
)

GIVEN: dict[str, Any] = {"url": "http://localhost:5080", "token": "user:s3cret", "organization": "acme"}


def configured(**given: Any) -> Configuration:
    return read({}, GIVEN | given).unwrap()


@pytest.mark.parametrize(
    ("answer", "says", "hint", "final"),
    [
        (
            Trouble("refused", "http://h refused the connection"),
            "refused the connection",
            "OPENOBSERVE_URL",
            True,
        ),
        (
            Answer(401, excerpt="Unauthorized Access"),
            "401: Unauthorized Access",
            "set OPENOBSERVE_ADMIN_TOKEN",
            True,
        ),
        (Answer(403, excerpt="Not Supported"), "403: Not Supported", "OPENOBSERVE_ADMIN_TOKEN", True),
        (Answer(404, {}, b"<html>", "<html>"), "404: <html>", "check the path in OPENOBSERVE_URL", True),
        (
            Answer(404, {}, b'{"code":404,"message":"Alert not found"}', "Alert not found"),
            "Alert not found",
            "the server's text",
            False,
        ),
        (Answer(302, {"location": "https://login"}), "a redirect to https://login", "final address", True),
        (Answer(400, excerpt="bad cron"), "400: bad cron", "the server's text", False),
        (Answer(500, excerpt="oops"), "500: oops", "server's own log", False),
        (
            Answer(200, {}, b"<html>", "<html>"),
            "something else than was asked for: <html>",
            "an OpenObserve",
            False,
        ),
    ],
)
def test_every_answer_is_a_sentence_with_something_to_do(
    answer: Answer | Trouble, says: str, hint: str, final: Any
) -> None:
    """And tells whether any other call could do better."""
    found = refusal(configured(), answer)
    assert says in found.text
    assert hint in found.hint
    assert found.final is final


def test_the_admin_token_is_named_if_there_is_one() -> None:
    """Else the advice would be to set what is set."""
    assert refusal(configured(admin_token="a:b"), Answer(401)).hint.startswith(
        "check OPENOBSERVE_ADMIN_TOKEN"
    )


def test_the_channels_address_is_masked_in_the_servers_words() -> None:
    """Servers repeat it when they cannot reach it."""
    found = refusal(
        configured(alert_channel="webhook:https://hooks.example.com/canary-T0123"),
        Answer(500, excerpt="cannot send to https://hooks.example.com/canary-T0123"),
    )
    assert "canary" not in found.text
    assert "https://hooks.example.com/********" in found.text


def test_only_a_success_has_content() -> None:
    """Parsed, None for anything else."""
    assert content(Answer(200, {}, b'{"a": 1}')) == {"a": 1}
    assert content(Answer(400, {}, b'{"a": 1}')) is None
    assert content(Trouble("timeout", "slow")) is None
    assert succeeded(Answer(201))
    assert not succeeded(Answer(302))


def test_the_organisation_is_part_of_the_path() -> None:
    """Quoted, though its rule leaves nothing to quote."""
    assert second_version(configured(), "/alerts") == "/api/v2/acme/alerts"


@pytest.mark.parametrize(
    "answer",
    [
        Trouble("reset", "x"),
        Answer(401),
        Answer(200, body=b"<"),
        Answer(200, body=b'{"hits":[{"a":1}],"is_partial":true}'),
        Answer(200, body=b'{"hits":[{"a":1}],"function_error":["x"]}'),
        Answer(200, body=b'{"total":1}'),
    ],
    ids=["reset", "401", "html", "partial", "function", "no-hits"],
)
def test_half_an_answer_to_a_search_is_none(answer: Answer | Trouble) -> None:
    """A partial answer is an error, also when it is a 200."""
    assert rows_of(answer) is None
    assert not not_yet(answer)


def test_rows_and_a_stream_that_is_not_known_yet_are_told_apart() -> None:
    """The second is normal just after the first record."""
    assert rows_of(Answer(200, body=b'{"hits":[{"a":1}],"is_partial":false}')) == [{"a": 1}]
    assert not_yet(Answer(400, body=b'{"code":20002,"message":"Search stream not found"}'))
    assert not not_yet(Answer(400, body=b'{"code":20001,"message":"SQL"}'))


def test_a_secret_that_is_cut_off_is_not_shown_in_part() -> None:
    """Whatever stands before it; the address and the tokens."""
    found = configured(
        alert_channel="webhook:https://hooks.example.com/CANARYSECRETTOKEN0123456789",
        admin_token="a:CANARYADMINTOKEN",
    )
    for length in range(220, 310):
        for secret in (
            "https://hooks.example.com/CANARYSECRETTOKEN0123456789", "CANARYSECRETTOKEN0123456789", "CANARYADMINTOKEN",
        ):  # fmt: skip
            body = b"x" * length + secret.encode()
            said = refusal(found, Answer(400, body=body, excerpt=body.decode()[:300])).text
            assert "CANARY" not in said, (length, secret)
            assert len(said) < 400


def test_a_user_of_a_url_is_masked_without_a_password_too() -> None:
    """It may be a token."""
    found = configured(alert_channel="webhook:https://canary-tok3n@hooks.example.com/a")
    assert "canary" not in masked(found, "cannot log in as canary-tok3n, canary-tok3n@elsewhere")
