"""Where alerts are sent: a webhook, Slack or mail; the address is a secret, since whoever has it can write there."""

import re
from typing import Final, Literal, cast, final
from urllib.parse import urlsplit

import attrs

from cqrs.secret import MASK, Secret
from cqrs.settings import Invalid, Parser, text

ChannelKind = Literal["webhook", "slack", "email"]
_FORM: Final = re.compile(r"(webhook|slack|email):(\S+)")
_MAIL: Final = re.compile(r"[^\s@,;<>\"']{1,64}@[A-Za-z0-9.-]{1,255}")
_LONGEST: Final = 2048
# Shorter parts are words such as "hook" or "v1": hiding them would blacken the server's texts.
_SHORTEST_SECRET: Final = 8
_NO_FORM: Final = "is neither webhook:URL nor slack:URL nor email:ADDRESS"
_NO_URL: Final = "does not name an http or https address with a host after webhook: or slack:"


@final
@attrs.frozen
class Channel:
    """A place that alerts are sent to.

    Attributes:
        kind: webhook, slack or email.
        address: URL or mail address.
    """

    kind: ChannelKind
    address: Secret

    def __str__(self) -> str:
        """Say what it is; of a URL no more than the host, since the rest is what lets one write there."""
        if self.kind == "email":
            return f"email:{self.address.reveal()}"
        return f"{self.kind}:{masked_url(self.address.reveal())}"

    def mask(self, said: str) -> str:
        """Hide the address, and whatever of it is secret, in a text that somebody else wrote.

        Args:
            said: such as a server's answer.
        """
        if self.kind == "email":
            return said
        url = self.address.reveal()
        said = said.replace(url, masked_url(url))
        for part in sorted(_secrets(url), key=len, reverse=True):
            said = said.replace(part, MASK)
        return said


def masked_url(url: str) -> str:
    """Give a URL's scheme and host, with a mask for the rest.

    Args:
        url: http or https.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # what a server gives for one
        return MASK
    host = parts.netloc.rpartition("@")[2]
    rest = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    return f"{parts.scheme}://{host}" + (f"/{MASK}" if rest else "")


def channel() -> Parser:
    """The parser of a channel; its text is shown nowhere."""
    plain = text(most=_LONGEST)
    return Parser(lambda raw: parse_channel(plain.parse(raw)), "channel", secret=True)


def parse_channel(raw: str) -> Channel:
    """Read a channel.

    Args:
        raw: ``webhook:URL``, ``slack:URL`` or ``email:ADDRESS``.

    Raises:
        Invalid: the rule that it breaks, without the text.
    """
    found = _FORM.fullmatch(raw)
    if found is None:
        raise Invalid(_NO_FORM)
    kind, address = cast("ChannelKind", found[1]), found[2]
    if kind == "email":
        if not _MAIL.fullmatch(address):
            raise Invalid("does not name one mail address after email:")
    elif not _is_url(address):
        raise Invalid(_NO_URL)
    return Channel(kind, Secret(address))


def _is_url(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, brackets that do not close
        return False


def _secrets(url: str) -> set[str]:
    parts = urlsplit(url)
    pieces = {
        *parts.path.split("/"),
        *re.split(r"[&;]", parts.query),
        parts.fragment,
        parts.path,
        parts.query,
    }
    values = {value for piece in pieces for value in (piece, piece.partition("=")[2])}
    values |= {parts.netloc.rpartition("@")[0], parts.username or "", parts.password or ""}
    return {value for value in values if len(value) >= _SHORTEST_SECRET}
