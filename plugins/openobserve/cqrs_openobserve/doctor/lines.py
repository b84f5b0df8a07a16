"""What ``doctor`` says: lines that are ok, warn or fail, each with what to do; pure."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, final

import attrs
import orjson

Status = Literal["ok", "warn", "fail"]
Section = Literal[
    "versions",
    "settings",
    "network",
    "server",
    "credentials",
    "clock",
    "streams",
    "signals",
    "provisioning",
    "files",
    "process",
    "ledger",
]

VERSION: Final = 1
_EXIT_CODES: Final[Mapping[Status, int]] = {"ok": 0, "warn": 1, "fail": 2}


@final
@attrs.frozen
class Line:
    """One thing that was looked at.

    Attributes:
        section: what it belongs to.
        name: which thing; stable, for programs.
        status: ``ok``, ``warn`` or ``fail``.
        text: what was found.
        fix: what to do about it, with the command if there is one; empty for what is ok.
    """

    section: Section
    name: str
    status: Status
    text: str
    fix: str = ""


@final
@attrs.frozen
class Setting:
    """One setting.

    Attributes:
        variable: the environment variable.
        value: what it is set to, masked if secret.
        source: the variable that it was read from, ``given`` or ``default``.
    """

    variable: str
    value: str
    source: str


@final
@attrs.frozen
class Report:
    """All lines of one look.

    Attributes:
        url: the server, or empty if the settings do not tell.
        organization: the organisation, likewise.
        lines: in the order in which they were found.
        settings: every setting with its source.
    """

    url: str
    organization: str
    lines: tuple[Line, ...]
    settings: tuple[Setting, ...] = ()

    @property
    def status(self) -> Status:
        """The worst of all lines."""
        return worst(self.lines)

    @property
    def exit_code(self) -> int:
        """0 if all is well, 1 for warnings, 2 if something does not work."""
        return _EXIT_CODES[self.status]

    def as_json(self) -> bytes:
        """Give it as JSON; the schema stands in the reference documentation."""
        return orjson.dumps(
            {
                "version": VERSION,
                "status": self.status,
                "exit_code": self.exit_code,
                "url": self.url,
                "organization": self.organization,
                "lines": [attrs.asdict(line) for line in self.lines],
                "settings": [attrs.asdict(setting) for setting in self.settings],
            },
            option=orjson.OPT_INDENT_2,
        )


def worst(lines: Iterable[Line]) -> Status:
    """Give the worst status of some lines.

    Args:
        lines: any number of them; none is ``ok``.
    """
    found: Status = "ok"
    for line in lines:
        found = line.status if _EXIT_CODES[line.status] > _EXIT_CODES[found] else found
    return found
