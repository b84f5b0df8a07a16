"""Stands beside the transport of a pipeline and remembers what the server answered to each kind of request."""

from datetime import UTC, datetime
from typing import final

import attrs

from cqrs_openobserve.answers import Answer, Meaning, Trouble, meaning
from cqrs_openobserve.json_values import mapping, sequence
from cqrs_openobserve.payloads import Payload
from cqrs_openobserve.transport import Transport


@final
@attrs.frozen
class Seen:
    """The last answer to requests of one path.

    Attributes:
        meant: what it means.
        streams: the names under which the server says it stored the records; none if it does not say.
    """

    meant: Meaning
    streams: tuple[str, ...] = ()

    @property
    def delivered(self) -> bool:
        """Whether everything was stored."""
        return self.meant.action == "settle" and not self.meant.rejected

    @property
    def final(self) -> bool:
        """Whether sending it again would change nothing: it was refused, or the settings are wrong."""
        return self.meant.action in {"blocked", "split"} or bool(self.meant.rejected)


@final
class Witness:
    """A transport that does what another does.

    Args:
        transport: the one that reaches the server.

    Attributes:
        seen: the last answer by path.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.seen: dict[str, Seen] = {}

    def send(self, payload: Payload, /) -> Answer | Trouble:
        """Send one request and remember the answer."""
        answer = self._transport.send(payload)
        meant = meaning(answer, payload.records, datetime.now(UTC), otlp=payload.is_otlp)
        self.seen[payload.path] = Seen(meant, _streams(answer))
        return answer

    def limit(self, moment: float, /) -> None:
        """End every request at a moment at the latest."""
        self._transport.limit(moment)

    def close(self) -> None:
        """Close connections."""
        self._transport.close()

    def abandon(self) -> None:
        """Forget connections that belong to the parent process."""
        self._transport.abandon()


def _streams(answer: Answer | Trouble) -> tuple[str, ...]:
    if not isinstance(answer, Answer) or answer.status != 200:
        return ()
    entries = sequence(mapping(answer.json()).get("status"))
    return tuple(name for each in entries if isinstance(name := mapping(each).get("name"), str))
