"""What an answer of the server means: one pure table."""

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal, cast, final

import attrs
import orjson

from cqrs_openobserve.json_values import mapping, sequence

Cause = Literal["refused", "unresolved", "timeout", "reset", "tls", "forbidden", "unreadable"]
Action = Literal["settle", "again", "split", "wait", "blocked"]


@final
@attrs.frozen
class Answer:
    """What the server answered.

    Attributes:
        status: HTTP status.
        headers: by lower-case name.
        body: decoded, at most 1 MiB.
        excerpt: the beginning of the body as one printable line without secrets.
    """

    status: int
    headers: Mapping[str, str] = attrs.Factory(dict[str, str])
    body: bytes = attrs.field(default=b"", repr=False)
    excerpt: str = ""

    def json(self) -> object:
        """Give the parsed body, None if it is not JSON."""
        try:
            parsed: object = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None
        return parsed


@final
@attrs.frozen
class Trouble:
    """Why there was no answer.

    Attributes:
        cause: the kind of trouble.
        text: one line about it, without secrets.
        sent: whether some of the request had been written, so that the server may have stored it.
    """

    cause: Cause
    text: str
    sent: bool = False


@final
@attrs.frozen
class Meaning:
    """What to do with the payload that was answered.

    Attributes:
        action: ``settle`` it as counted here; send it ``again`` a few times; ``split`` it to find the bad record;
            ``wait`` for the server; or ``blocked``: wait for somebody to mend the settings.
        delivered: records that the server says it stored.
        rejected: records that it refused.
        retry_after_s: the shortest wait that it asked for, in seconds.
        text: what happened, one line.
        hint: what to do about it, naming variables.
        server_error: whether it was a plain 500, which one bad record can cause.
        ambiguous: whether the records will be sent again although they may have been stored.
    """

    action: Action
    delivered: int = 0
    rejected: int = 0
    retry_after_s: float | None = None
    text: str = ""
    hint: str = ""
    server_error: bool = False
    ambiguous: bool = False


_CAUSES: Final[Mapping[Cause, str]] = {
    "refused": "check OPENOBSERVE_URL and that the server runs.",
    "unresolved": "check the host in OPENOBSERVE_URL.",
    "timeout": "check the server, or raise OPENOBSERVE_TIMEOUT.",
    "reset": "check that OPENOBSERVE_URL is an OpenObserve server.",
    "tls": "check OPENOBSERVE_URL, and OPENOBSERVE_CA_FILE if the certificate is your own.",
    "unreadable": "check that OPENOBSERVE_URL is an OpenObserve server.",
    "forbidden": "the host resolves to a link-local address: check OPENOBSERVE_URL.",
}
_NOT_OPENOBSERVE: Final = "is OPENOBSERVE_URL an OpenObserve server, or a page in front of it?"
_AUTHORIZATION: Final = "check OPENOBSERVE_TOKEN (and OPENOBSERVE_USER) and OPENOBSERVE_ORGANIZATION."
_BLOCKED: Final[Mapping[int, str]] = {
    401: _AUTHORIZATION,
    403: _AUTHORIZATION,
    404: "check the path in OPENOBSERVE_URL and OPENOBSERVE_ORGANIZATION.",
    407: "check OPENOBSERVE_PROXY.",
    415: "something between here and the server refuses gzip or JSON: check OPENOBSERVE_URL.",
}
CLOCK_TOLERANCE_S: Final = 300
_SPLIT: Final = frozenset({400, 413, 422})
_WAIT: Final = frozenset({408, 425, 429})


def meaning(answer: Answer | Trouble, sent: int, now: datetime, *, otlp: bool = False) -> Meaning:
    """Tell what an answer to a request with records means.

    Args:
        answer: what came back.
        sent: how many records the request held.
        now: wall-clock time, for a Retry-After that is a date and for a server's clock that is wrong.
        otlp: whether it was an OTLP request; else a ``_json`` one.
    """
    if isinstance(answer, Trouble):
        return Meaning("wait", text=answer.text, hint=_CAUSES[answer.cause], ambiguous=answer.sent)
    if answer.status in {200, 206}:
        said = _partial_success(answer, sent) if otlp else counts_of(answer.json())
        return _counted(answer, sent, said, now)
    return _redirected(answer) if 300 <= answer.status < 400 else _refused(answer, now)


def _refused(answer: Answer, now: datetime) -> Meaning:
    status = answer.status
    text = f"the server answered {status}{f': {answer.excerpt}' if answer.excerpt else ''}"
    if (
        status == 400 and "is being deleted" in answer.excerpt
    ):  # the server's word for a stream that is on its way out
        return Meaning(
            "wait", text=text, hint="the stream can be written to again once the server has deleted it."
        )
    if status in _SPLIT:
        return Meaning("split", text=text, hint="the server's text says which value it did not take.")
    if status in _WAIT or status >= 500:
        pause = retry_after_s(answer.headers.get("retry-after", ""), now)
        return Meaning("wait", retry_after_s=pause, text=text, hint="", server_error=status == 500)
    if 200 <= status < 300:
        return Meaning("again", text=f"{text} without counts", hint=_NOT_OPENOBSERVE)
    return Meaning("blocked", text=text, hint=_BLOCKED.get(status, "check OPENOBSERVE_URL."))


def retry_after_s(text: str, now: datetime) -> float | None:
    """Read a Retry-After header.

    Args:
        text: seconds or a date.
        now: wall-clock time, with time zone.

    Returns:
        Seconds, not negative; None if there is nothing usable.
    """
    try:
        seconds = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        seconds = _until(text, now)
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def counts_of(body: object) -> tuple[int, int] | None:
    """Read the counts of a ``_json`` answer.

    Args:
        body: the parsed body.

    Returns:
        Records stored and records refused; None if it is not such an answer.
    """
    entries = mapping(body).get("status")
    if not isinstance(entries, list):
        return None
    stored = refused = 0
    for entry in sequence(cast("object", entries)):
        good, bad = mapping(entry).get("successful"), mapping(entry).get("failed")
        if type(good) is not int or type(bad) is not int or good < 0 or bad < 0:
            return None
        stored, refused = stored + good, refused + bad
    return stored, refused


def _partial_success(answer: Answer, sent: int) -> tuple[int, int] | None:
    # What an OTLP answer leaves out was taken; a body is believed only under the type that the answers have.
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-protobuf":
        # Here and not above: protobuf is loaded only by programs that send OTLP.
        from cqrs_openobserve.otlp_bodies import partial_success

        said = partial_success(answer.body)
        rejected = said.rejected if said is not None else None
    elif kind == "application/json":
        rejected = _rejected_in_json(answer.json())
    else:
        rejected = None
    return None if rejected is None else (sent - min(rejected, sent), rejected)


def _rejected_in_json(body: object) -> int | None:
    if not isinstance(body, dict) or "code" in mapping(cast("object", body)):
        return None
    said = mapping(mapping(cast("object", body)).get("partialSuccess"))
    names = ("rejectedSpans", "rejectedDataPoints", "rejectedLogRecords")
    count = next((said[name] for name in names if name in said), 0)
    text = str(count)  # OTLP/JSON writes 64-bit integers as texts
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _counted(answer: Answer, sent: int, counts: tuple[int, int] | None, now: datetime) -> Meaning:
    if counts is None:
        text = f"the server answered {answer.status} with something else than counts: {answer.excerpt or 'nothing'}"
        return Meaning("again", text=text, hint=_NOT_OPENOBSERVE)
    stored, refused = counts
    stored, refused = min(stored, sent), min(refused, sent - min(stored, sent))
    if refused:
        text = f"the server refused {refused} of {sent} records: {answer.excerpt}"
        return Meaning("settle", stored, refused, text=text, hint=_why_refused(answer, now))
    if stored == sent:
        return Meaning("settle", stored)
    text = f"the server counted {stored} of {sent} records and refused none"
    return Meaning("again", stored, text=text, hint="look into the server's own log.", ambiguous=stored > 0)


def _why_refused(answer: Answer, now: datetime) -> str:
    skew = skew_s(answer.headers.get("date", ""), now)
    if skew is not None and abs(skew) > CLOCK_TOLERANCE_S:
        return f"the server's clock is {skew:+.0f} s away from this machine's: set one of them right."
    return "the server's text says why; records older than 5 h are refused, so check this machine's clock."


def skew_s(date: str, now: datetime) -> float | None:
    """Give how far a server's clock is ahead of ours, in seconds; None if it does not say.

    Args:
        date: the Date header.
        now: wall-clock time, with time zone.
    """
    skew = _until(date, now)
    return skew if math.isfinite(skew) else None


def _redirected(answer: Answer) -> Meaning:
    target = answer.headers.get("location", "").partition("?")[0][:200]
    shown = "".join(c if c.isprintable() else "?" for c in target) or "nowhere"
    text = f"the server answered {answer.status}, a redirect to {shown}, which is not followed"
    return Meaning("blocked", text=text, hint="set OPENOBSERVE_URL to the final address.")


def one_line(text: str) -> str:
    """Give somebody else's text as one line of characters that a terminal only shows.

    Args:
        text: any text.
    """
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _until(text: str, now: datetime) -> float:
    try:
        return (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return math.nan
