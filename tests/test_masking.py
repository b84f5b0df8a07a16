from typing import Any

import pytest

from cqrs.masking import masked, masked_text
from cqrs.secret import MASK


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "user_password",
        "apiKey",
        "api-key",
        "AUTHORIZATION",
        "pin",
        "card_number",
        "sessionId",
        "cookie",
    ],
)
@pytest.mark.parametrize("value", ["hush", 1234, ["hush"], {"inner": "hush"}])
def test_what_is_called_a_secret_is_masked_whatever_it_is(name: str, value: Any) -> None:
    """The name decides, at any depth; not even the shape of the value is left."""
    assert masked({"deep": [{name: value}]}) == {"deep": [{name: MASK}]}


@pytest.mark.parametrize(
    "value", [{"sku": "apple", "quantity": 2, "tags": ["a"], "gift": True, "note": None}, [], "x", 1.5]
)
def test_everything_else_is_left_as_it_is(value: Any) -> None:
    """Numbers, texts, lists and objects come back equal."""
    assert masked(value) == value


@pytest.mark.parametrize("name", ["shopping", "author", "pinned", "keyboard", "passenger"])
def test_a_name_that_only_looks_like_one_is_none(name: str) -> None:
    """A word inside of another word is no reason to hide a value."""
    assert masked({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("login failed: password=hush, user=ann", f"login failed: password={MASK}, user=ann"),
        ('{"token": "hush"}', f'{{"token": {MASK}"}}'),
        ("Authorization: Bearer abcdef123456", f"Authorization: Bearer {MASK}"),
        ("eyJhbGciOi.eyJzdWIi.c2ln is no good", f"{MASK} is no good"),
        ("cannot reach https://ann:hush@example.com/x", f"cannot reach https://{MASK}@example.com/x"),
        ("order 4711 was placed", "order 4711 was placed"),
    ],
)
def test_secrets_inside_of_a_text_are_masked(text: str, shown: str) -> None:
    """Pairs, credentials, tokens and addresses with a password; the rest of the text stays."""
    assert masked_text(text) == shown
    assert "hush" not in masked_text(text)


def test_a_hostile_text_takes_no_time() -> None:
    """The work grows with the text, not with its square."""
    assert len(masked_text("password" * 20_000 + "://" * 20_000 + "eyJ" * 20_000)) > 100_000
