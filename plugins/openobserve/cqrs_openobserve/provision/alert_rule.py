"""An alert rule as a value, and its JSON; pure."""

from collections.abc import Mapping, Sequence
from typing import Final, final

import attrs

from cqrs_openobserve.provision.ownership import MARK, stamped

# With them the server says which time a message is about.
TIMES: Final = {"zo_sql_min_time": "min(_timestamp)", "zo_sql_max_time": "max(_timestamp)"}


@final
@attrs.frozen
class Window:
    """The rows that a rule looks at.

    Attributes:
        minutes: how far back they go.
        least: fewest of them that a rate or percentile is made of.
    """

    minutes: int
    least: int = 20

    @property
    def text(self) -> str:
        """The window in words."""
        return f"{self.minutes} minute{'' if self.minutes == 1 else 's'}"


@final
@attrs.frozen
class AlertRule:
    """One rule.

    Attributes:
        name: unique among ours; the server itself allows names to repeat.
        description: when it fires, in a sentence.
        stream: the stream it reads, by the server's name.
        sql: answers with one row or more when the rule fires.
        row: how a row is written into a message, with its columns in braces.
        period, every, silence: the window, the pause between evaluations and the pause after a message, minutes.
        example: records that break the rule, for ``alerts test``; none if it cannot be shown by records of now.
    """

    name: str
    description: str
    stream: str
    sql: str
    row: str
    period: int
    every: int = 1
    silence: int = 10
    example: tuple[Mapping[str, object], ...] = attrs.field(default=(), repr=False)

    def body(self, destinations: Sequence[str], *, enabled: bool = True) -> dict[str, object]:
        """Give the body of the call that creates or replaces it.

        Args:
            destinations: names of destinations; a server refuses a rule without any.
            enabled: whether it is evaluated.
        """
        body: dict[str, object] = {
            "name": self.name,
            "stream_type": "logs",
            "stream_name": self.stream,
            "is_real_time": False,
            "query_condition": {"type": "sql", "sql": self.sql},
            "trigger_condition": {
                "period": self.period,
                "operator": ">=",
                "threshold": 1,
                "frequency": self.every,
                "frequency_type": "minutes",
                "silence": self.silence,
                "timezone": "UTC",
                "align_time": True,
            },
            "destinations": list(destinations),
            "context_attributes": {"component": "cqrs", "rule": self.name},
            "row_template": self.row,
            "description": f"{self.description} ({MARK})",
            "enabled": enabled,
            "tz_offset": 0,
        }
        return stamped(body, "alert", self.name)
