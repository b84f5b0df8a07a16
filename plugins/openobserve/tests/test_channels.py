"""Where alerts are sent, and that nobody learns the address."""

import pytest
from cqrs_openobserve.channels import channel, masked_url, parse_channel

from cqrs.settings import Invalid

SECRET = "canary-T0123/B0456"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"webhook:https://hooks.example.com/{SECRET}", "webhook:https://hooks.example.com/********"),
        ("webhook:http://127.0.0.1:8080", "webhook:http://127.0.0.1:8080"),
        ("webhook:https://user:canary@example.com", "webhook:https://example.com/********"),
        ("webhook:https://example.com/?key=canary", "webhook:https://example.com/********"),
        ("slack:https://hooks.slack.com/services/T0/B0/canary", "slack:https://hooks.slack.com/********"),
        ("email:ops@example.com", "email:ops@example.com"),
    ],
)
def test_only_the_host_of_a_url_is_shown(text: str, shown: str) -> None:
    """In str, in repr and in the report of settings."""
    found = channel().parse(text)
    assert str(found) == shown
    assert "canary" not in repr(found) + str(found)
    assert f"{found.kind}:{found.address.reveal()}" == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("https://example.com/canary", "neither webhook:URL"),
        ("pager:canary", "neither webhook:URL"),
        ("webhook:", "neither webhook:URL"),
        ("webhook:ftp://canary", "http or https"),
        ("webhook:https://", "http or https"),
        ("webhook:https://[canary", "http or https"),
        ("webhook:https://h:99999/canary", "http or https"),
        ("slack:https://a b/canary", "neither webhook:URL"),
        ("email:canary", "mail address"),
        ("email:a@b,canary@d", "mail address"),
    ],
)
def test_what_is_refused_is_not_repeated(text: str, says: str) -> None:
    """The rule alone: the text may hold a secret."""
    with pytest.raises(Invalid, match=says) as refused:
        parse_channel(text)
    assert "canary" not in str(refused.value)


def test_a_server_that_repeats_the_address_shows_nothing_of_it() -> None:
    """Not the whole, not a part, not a value of the query."""
    found = parse_channel(
        "webhook:https://user:pa55word@hooks.example.com/services/T0123/B04567890?token=abcdef0123"
    )
    said = "cannot send to https://user:pa55word@hooks.example.com/services/T0123/B04567890?token=abcdef0123 (B04567890, abcdef0123, pa55word)"
    shown = found.mask(said)
    for secret in ("pa55word", "B04567890", "abcdef0123"):
        assert secret not in shown
    assert "https://hooks.example.com/********" in shown
    assert parse_channel("email:a@b.c").mask("to a@b.c") == "to a@b.c"


def test_short_words_of_a_path_are_no_secrets() -> None:
    """Else the server's own words would be blackened."""
    found = parse_channel("webhook:https://example.com/hook")
    assert found.mask("the hook answered 500") == "the hook answered 500"
    assert masked_url("https://example.com/") == "https://example.com"
