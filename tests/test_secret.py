import copy
import json
import logging
import pickle  # noqa: TID251 - to see it refused
import traceback

import attrs
import pytest

from cqrs.secret import MASK, Secret

CANARY = "canary-3f9c"


@attrs.frozen
class Login:
    """A value that holds a secret."""

    user: str
    token: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(CANARY)),
        str(Secret(CANARY)),
        f"{Secret(CANARY)}",
        f"{Secret(CANARY)!r:>40}",
        f"{Secret(CANARY):>40}",
        "%s %r" % (Secret(CANARY), Secret(CANARY)),  # noqa: UP031 - how logging formats
        repr([Secret(CANARY)]),
        repr(Login("ann", Secret(CANARY))),
        repr(attrs.asdict(Login("ann", Secret(CANARY)))),
        ascii(Secret(CANARY)),
        str(vars(type(Secret(CANARY)))),
        repr(Secret(CANARY).__dir__()),
    ],
)
def test_no_way_of_printing_shows_the_text(shown: str) -> None:
    """Every way to make a text of a secret, or of what holds one, gives the mask."""
    assert CANARY not in shown


def test_the_mask_says_nothing_of_the_length() -> None:
    """A long and an empty secret look alike."""
    assert str(Secret("")) == str(Secret("x" * 1000)) == MASK


def test_only_reveal_gives_the_text() -> None:
    """The text comes back as it went in."""
    assert Secret(CANARY).reveal() == CANARY


def test_a_log_line_and_a_traceback_with_locals_do_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    """Neither logging a secret nor a traceback that prints local variables writes the text down."""
    secret = Secret(CANARY)
    try:
        json.dumps(secret)
    except TypeError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        logging.getLogger("cqrs").error("token %s", secret, exc_info=error)  # noqa: TRY400 - the value is the point
        printed = "".join(report.format())
    else:
        printed = CANARY

    assert "secret = Secret(" in printed
    assert CANARY not in printed.replace('CANARY = "', "")
    assert CANARY not in caplog.text


@pytest.mark.parametrize("store", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_cannot_be_stored(store: object) -> None:
    """Pickling and copying are refused, and the refusal does not repeat the text."""
    with pytest.raises(TypeError, match="cannot be pickled") as refused:
        store(Secret(CANARY))  # type: ignore[operator]  # the test knows what it holds

    assert CANARY not in str(refused.value)


def test_equal_texts_are_equal_secrets() -> None:
    """Secrets compare and hash by their text, and never equal the text itself."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert hash(Secret("a")) != hash("a")


def test_a_text_that_is_not_unicode_compares_too() -> None:
    """A text with a byte that the environment could not decode is a secret like any other."""
    undecodable = b"caf\xe9".decode("utf-8", "surrogateescape")

    assert Secret(undecodable) == Secret(undecodable)
    assert Secret(undecodable) != Secret("caf")


def test_an_empty_secret_is_false() -> None:
    """Truth tells whether there is a text at all."""
    assert not Secret("")
    assert Secret("x")
