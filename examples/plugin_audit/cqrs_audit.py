"""A journal of every command: who was told what, and how it ended. A plugin for returns-cqrs in one module."""

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, TextIO

import attrs
from returns.result import Failure, Result, Success

from cqrs import Feature, HandlerInfo, Instrument, MessageContext, Problem, Query, Rejection
from cqrs.instrumentation import Finished, outcome_of
from cqrs.plugins import Plugin, PluginBuilder
from cqrs.settings import integer, setting, text


@attrs.frozen
class Settings:
    """What the environment says."""

    journal: str = setting(
        "AUDIT_JOURNAL", text(), doc="File that entries are added to.", example="audit.log"
    )
    kept: int = setting(
        "AUDIT_KEPT", integer(1, 10_000), doc="Entries to remember.", example="100", default=100
    )


class Journal(Instrument):
    """Notes every command and how it ended; handlers may ask for it.

    Args:
        settings: where it is and how much of it is remembered.
    """

    name = "audit"

    def __init__(self, settings: Settings) -> None:
        self.path = Path(settings.journal)
        self.last: deque[str] = deque(maxlen=settings.kept)
        self.file: TextIO | None = None

    def finished(self, handler: HandlerInfo, /) -> Finished | None:
        """Note the commands; of queries and events nothing is heard."""
        if handler.kind != "command":
            return None

        def note(
            context: MessageContext,
            began_ns: int,
            ended_ns: int,
            answer: Result[object, object] | BaseException,
            /,
        ) -> None:
            duration = (ended_ns - began_ns) / 1e6
            self.last.append(f"{handler.message_type} {outcome_of(answer)}")
            print(context.message_id, self.last[-1], f"{duration:.2f} ms", file=self.file, flush=True)

        return note


class Audit(Plugin):
    """Adds the journal to an app, and opens it while the app runs."""

    name: ClassVar[str] = "audit"
    settings: ClassVar[type[attrs.AttrsInstance] | None] = Settings

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Read the settings and say what to add; nothing is opened here."""
        settings = builder.load(Settings)
        if isinstance(settings, Failure):
            return Failure(settings.failure())
        self.journal = Journal(settings.unwrap())
        builder.instrument(self.journal)
        builder.register(Journal, self.journal)
        return Success(None)

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Hold the file open while the app runs."""
        with self.journal.path.open("a", encoding="utf-8") as self.journal.file:
            yield

    def health(self) -> Result[str, str]:
        """Say whether the file is still there."""
        path = self.journal.path
        return Success(f"writing {path}") if path.exists() else Failure(f"{path} was removed")


@attrs.frozen
class NoneKept(Rejection):
    """More was asked for than can be there."""

    asked: int


@attrs.frozen
class LastEntries(Query[tuple[str, ...], NoneKept]):
    """Ask for the last entries, oldest first."""

    count: int = 10


audit = Feature("audit")


@audit.handles(LastEntries)
async def last_entries(query: LastEntries, *, journal: Journal) -> Result[tuple[str, ...], NoneKept]:
    """Give what is remembered."""
    if not 0 < query.count <= (journal.last.maxlen or 0):
        return Failure(NoneKept(query.count))
    return Success(tuple(journal.last)[-query.count :])
