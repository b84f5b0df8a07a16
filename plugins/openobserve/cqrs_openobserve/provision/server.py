"""The calls that provisioning makes, and what it says of an answer that is none."""

from datetime import UTC, datetime
from typing import Final, Protocol, final
from urllib.parse import quote

import attrs
import orjson

from cqrs_openobserve.answers import Answer, Trouble, meaning, one_line
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.json_values import mapping, sequence
from cqrs_openobserve.payloads import Payload

# A stream, a column of it, or the schema is not there.
_NOT_YET: Final = frozenset({20002, 20004, 20008})
_EXCERPT: Final = 300
_SERVER_LOG: Final = "look into the server's own log."


class Server(Protocol):
    """What provisioning needs of the client."""

    def call(
        self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer | Trouble:
        """Make a call of the organisation."""
        ...

    def ask(
        self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer | Trouble:
        """Make a call whose path begins at the server's address."""
        ...

    def send(self, payload: Payload, /) -> Answer | Trouble:
        """Send records."""
        ...


@final
@attrs.frozen
class Refusal:
    """Why a call did not do what it should.

    Attributes:
        text: what happened, one bounded line without secrets.
        hint: what to do about it.
        final: whether no other call could do better: no answer at all, or refused credentials.
    """

    text: str
    hint: str
    final: bool = False


def second_version(configuration: Configuration, path: str) -> str:
    """Give the whole path of a call of the second version of the API.

    Args:
        configuration: names the organisation.
        path: below the organisation.
    """
    return f"/api/v2/{quote(configuration.organization, safe='')}{path}"


def content(answer: Answer | Trouble) -> object:
    """Give what a call returned.

    Args:
        answer: what came back.

    Returns:
        The parsed body of a success; None for anything else.
    """
    return answer.json() if isinstance(answer, Answer) and 200 <= answer.status < 300 else None


def succeeded(answer: Answer | Trouble) -> bool:
    """Tell whether a call did what it should.

    Args:
        answer: what came back.
    """
    return isinstance(answer, Answer) and 200 <= answer.status < 300


def rows_of(answer: Answer | Trouble) -> list[object] | None:
    """Read the answer to a search; a partial one is none, also when it is a 200.

    Args:
        answer: of the server.

    Returns:
        The rows; None if it does not answer the question.
    """
    body = mapping(answer.json()) if isinstance(answer, Answer) and answer.status == 200 else None
    if body is None or body.get("is_partial") or body.get("function_error") or "hits" not in body:
        return None
    return list(sequence(body["hits"]))


def not_yet(answer: Answer | Trouble) -> bool:
    """Tell whether a search may succeed in a moment: the server does not know the stream or a column of it.

    Args:
        answer: of the server; normal just after the first record.
    """
    if not isinstance(answer, Answer) or answer.status != 400:
        return False
    return mapping(answer.json()).get("code") in _NOT_YET


def refusal(configuration: Configuration, answer: Answer | Trouble) -> Refusal:
    """Say why a call did not do what it should.

    Args:
        configuration: whose secrets are masked, and which variables hints name.
        answer: what came back.
    """
    if isinstance(answer, Answer) and answer.body:
        # Masked before it is cut: half a secret is found by nobody, and is half a secret.
        said = one_line(masked(configuration, answer.body.decode("utf-8", "replace")))[:_EXCERPT]
        answer = attrs.evolve(answer, excerpt=said)
    meant = meaning(answer, 1, datetime.now(UTC))
    if isinstance(answer, Trouble):
        return Refusal(masked(configuration, meant.text), meant.hint, final=True)
    if 200 <= answer.status < 300:
        text = f"the server answered {answer.status} with something else than was asked for: {answer.excerpt}"
        return Refusal(masked(configuration, text), "is OPENOBSERVE_URL an OpenObserve server?")
    text = masked(configuration, meant.text)
    if answer.status in {401, 403}:
        return Refusal(text, admin_hint(configuration), final=True)
    elsewhere = answer.status in {404, 407} and not isinstance(answer.json(), dict)
    if elsewhere or 300 <= answer.status < 400:
        return Refusal(text, meant.hint, final=True)
    return Refusal(
        text, _SERVER_LOG if answer.status >= 500 else "the server's text says what it did not take."
    )


def admin_hint(configuration: Configuration) -> str:
    """Say what to do about refused credentials where full ones are needed."""
    if configuration.settings.admin_token is None:
        return (
            "an ingestion token may only send: set OPENOBSERVE_ADMIN_TOKEN to user:password or a service account's"
            " token; if OPENOBSERVE_TOKEN is such a one, check it."
        )
    return "check OPENOBSERVE_ADMIN_TOKEN and OPENOBSERVE_ORGANIZATION."


def encoded(body: object) -> bytes:
    """Give the JSON of a body."""
    return orjson.dumps(body)


def masked(configuration: Configuration, said: str) -> str:
    """Hide tokens and the channel's address in a text that somebody else wrote.

    Args:
        configuration: whose they are.
        said: the text, not yet cut: half a secret would not be found.
    """
    said = configuration.admin.mask(configuration.credentials.mask(said))
    channel = configuration.settings.alert_channel
    return channel.mask(said) if channel else said
