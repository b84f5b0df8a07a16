"""The law of transparency: whatever happens to telemetry, a program comes to the same."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cqrs.plugins import Plugin
from cqrs.testing import Law, PluginSubject, law
from cqrs.testing.plugin_laws import changes_no_result
from cqrs_openobserve.testing.fault_server import FaultServer, Received
from cqrs_openobserve.testing.rows import POISON, ROWS, Row


@final
@attrs.frozen(eq=False)
class TransparencySubject:
    """A plugin that sends what it sees, as its law looks at it.

    Attributes:
        place: makes a directory in which it may keep what it could not send; one per example.
        plugin: makes it, from that directory and a URL to send to.
    """

    place: Callable[[], AbstractContextManager[str]]
    plugin: Callable[[str, str], Plugin]


def _rows(_subject: TransparencySubject) -> SearchStrategy[object]:
    return st.sampled_from(tuple(ROWS.values()))


def _handlers(subject: TransparencySubject) -> SearchStrategy[object]:
    return _drawn("handlers", subject)


def _sent(subject: TransparencySubject) -> SearchStrategy[object]:
    return _drawn("sent", subject)


def _drawn(argument: str, subject: TransparencySubject) -> SearchStrategy[object]:
    # What every plugin's law of the same claim draws.
    return changes_no_result.draws[argument](PluginSubject(lambda: subject.plugin("", "")))


@law(
    "Every dispatch comes to the same with telemetry as without it, whatever becomes of telemetry.",
    row=_rows,
    handlers=_handlers,
    sent=_sent,
)
async def results_are_the_same(
    subject: TransparencySubject,
    row: Row,
    handlers: Mapping[int, object],
    sent: Sequence[tuple[int, int]],
) -> None:
    """Play a row of the fault catalogue, and send the same messages to two apps."""
    with subject.place() as place, FaultServer(row.begin(_all_bad)) as server:
        with_it = PluginSubject(lambda: subject.plugin(place, server.url))
        await changes_no_result.check(with_it, handlers=handlers, sent=sent)


TRANSPARENCY_LAWS: Final[tuple[Law[TransparencySubject], ...]] = (results_are_the_same,)


def _all_bad(received: Received) -> Sequence[int]:
    return [POISON] * len(received.rows)
