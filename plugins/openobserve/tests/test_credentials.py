"""Which kind of token a text is."""

import base64

import pytest
from cqrs_openobserve.credentials import Credentials, detect
from returns.result import Failure

from cqrs.secret import MASK, Secret

PAIR = base64.b64encode(b"a@b.c:pass:word").decode()


@pytest.mark.parametrize(
    ("token", "user", "header"),
    [
        (f"Basic {PAIR}", "", f"Basic {PAIR}"),
        ("a@b.c:pass:word", "", f"Basic {PAIR}"),
        (PAIR, "", f"Basic {PAIR}"),
        ("pass:word", "a@b.c", "Basic " + base64.b64encode(b"pass:word").decode()),
        ("passcode12345678", "a@b.c", "Basic " + base64.b64encode(b"a@b.c:passcode12345678").decode()),
        ("o2oi_x", "", "Basic " + base64.b64encode(b"cqrs:o2oi_x").decode()),
        ("ü:ö", "", "Basic " + base64.b64encode("ü:ö".encode()).decode()),
        ("Bearer eyJ.x.y", "", "Bearer eyJ.x.y"),
    ],
)
def test_a_token_becomes_a_header(token: str, user: str, header: str) -> None:
    """Every form that the server's pages and documents show is understood."""
    assert detect(token, user).unwrap().header.reveal() == header


def test_a_bearer_token_comes_with_a_warning() -> None:
    """Open-source servers refuse it, which is worth saying before they do."""
    assert "enterprise" in detect("Bearer x", "").unwrap().warning
    assert detect("a:b", "").unwrap().warning == ""


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("justasecret", "secret without a user"),
        ("Bearer 日", "ASCII"),
        ("Basic justasecret", "not standard base64"),
        (base64.urlsafe_b64encode("ab?>:~~~ÿÿ".encode()).decode(), "URL-safe"),
        (base64.b64encode(b"ab:cd").decode().rstrip("="), "unpadded"),
    ],
)
def test_what_cannot_work_is_said_without_the_token(token: str, says: str) -> None:
    """The rule is named; the text is not repeated."""
    found = detect(token, "")
    assert isinstance(found, Failure)
    assert says in found.failure()
    assert token.rpartition(" ")[2] not in found.failure()


def test_every_form_of_the_secret_is_masked_in_foreign_text() -> None:
    """A server that echoes the header or the password is not repeated."""
    credentials = Credentials(Secret(f"Basic {PAIR}"))
    told = credentials.mask(f"you sent Basic {PAIR} that is a@b.c:pass:word, password pass:word!")

    assert told == f"you sent Basic {MASK} that is {MASK}, password {MASK}!"
    assert "pass" not in repr(credentials)
    assert Credentials(Secret("Bearer tok")).mask("Bearer tok") == f"Bearer {MASK}"


def test_the_value_on_the_wire_prints_as_a_mask() -> None:
    """Though it is the bytes that are sent."""
    wire = Credentials(Secret(f"Basic {PAIR}")).wire()
    assert wire == f"Basic {PAIR}".encode()
    assert repr({"Authorization": wire}) == f"{{'Authorization': {MASK}}}"


@pytest.mark.parametrize(
    ("token", "rule"),
    [
        ("name@example.com:", "has a user but no secret after the colon"),
        ("name@example.com: ", "has a user but no secret after the colon"),
        (":s3cret", "has a secret but no user before the colon"),
    ],
)
def test_one_half_of_a_pair_is_told_with_the_other(token: str, rule: str) -> None:
    """Before the server says no to it, and without repeating it."""
    assert detect(token, "").failure() == rule
