"""Who may do what."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from cqrs_local.auth import Reach, reach_of
from cqrs_local.credentials import Credentials
from returns.result import Success

from cqrs.secret import Secret

CREDENTIALS = Credentials("root@example.com", Secret("p:w?>~"), Secret("o2oi_abc"))


def basic(text: str) -> bytes:
    return b"Basic " + b64encode(text.encode())


def test_the_user_with_the_secret_reaches_everything() -> None:
    """The secret may hold colons: the first one separates."""
    assert reach_of(basic("root@example.com:p:w?>~"), CREDENTIALS) == Success(Reach.EVERYTHING)


def test_spaces_around_the_secret_do_not_matter() -> None:
    """A secret that was pasted with a line end works."""
    assert reach_of(basic("root@example.com:p:w?>~\n"), CREDENTIALS) == Success(Reach.EVERYTHING)


@pytest.mark.parametrize("user", ["", "anybody", "root@example.com"])
def test_the_ingestion_token_reaches_ingestion_with_any_user(user: str) -> None:
    """Its user part is free."""
    assert reach_of(basic(f"{user}:o2oi_abc"), CREDENTIALS) == Success(Reach.INGESTION)


@pytest.mark.parametrize(
    ("header", "content"),
    [
        (b"Bearer abc", b"Not Supported"),
        (b"Basic !!!", b"Unauthorized Access"),
        (b"Basic", b"Unauthorized Access"),
        (b"Basic " + urlsafe_b64encode(b"root@example.com:p:w?>~"), b"Unauthorized Access"),
        (b"Basic " + b64encode(b"root@example.com:p:w?>~").rstrip(b"="), b"Unauthorized Access"),
        (b"basic " + b64encode(b"root@example.com:p:w?>~"), b"Unauthorized Access"),
        (b"Basic " + b64encode(b"\xff\xfe:x"), b"Unauthorized Access"),
        (b64encode(b"root@example.com:p:w?>~"), b"Unauthorized Access"),
        (basic("root@example.com"), b"Unauthorized Access"),
        (basic("root@example.com:wrong"), b"Unauthorized Access"),
        (basic("other@example.com:p:w?>~"), b"Unauthorized Access"),
        (basic("root@example.com:"), b"Unauthorized Access"),
    ],
)
def test_anything_else_is_a_401_in_plain_text(header: bytes, content: bytes) -> None:
    """Basic alone, its exact spelling, the standard alphabet with its padding."""
    answer = reach_of(header, CREDENTIALS).failure()

    assert (answer.status, answer.body) == (401, content)
    assert dict(answer.headers) == {b"www-authenticate": b'Bearer realm="openobserve"'}


@pytest.mark.parametrize("header", [None, b""])
def test_a_missing_header_is_a_401_in_json(header: bytes | None) -> None:
    """The one form that differs."""
    answer = reach_of(header, CREDENTIALS).failure()

    assert (answer.status, answer.body) == (401, b'{"code":401,"message":"Unauthorized Access"}')


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each comparison of a secret goes through the function that does not stop at the first difference."""
    compared: list[bytes] = []

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append(expected)
        return given == expected

    monkeypatch.setattr("hmac.compare_digest", compare)
    reach_of(basic("x:y"), CREDENTIALS)

    assert set(compared) == {b"root@example.com", b"p:w?>~", b"o2oi_abc"}
