"""The dashboards as they should be: values, and their JSON in schema version 5; pure."""

from collections.abc import Iterable, Sequence
from typing import Final, final

import attrs

from cqrs_openobserve.provision.ownership import MARK, stamped

WIDTH: Final = 48
_HEIGHT: Final = 9
_NO_FILTER: Final[dict[str, object]] = {"filterType": "group", "logicalOperator": "AND", "conditions": []}


@final
@attrs.frozen
class Panel:
    """One panel.

    Attributes:
        title: what it shows.
        kind: line, area, area-stacked, bar, h-bar, metric or table.
        stream: the stream it reads.
        sql: its query.
        columns: labels by the names of the query's columns that hold values.
        x: label of the column `x_axis_1`; empty if there is none.
        by: label of the column `breakdown_1`; empty if there is none.
        unit: of the values: numbers, percent, milliseconds, seconds.
        width: columns of the grid, of 48.
        description: what to make of it.
    """

    title: str
    kind: str
    stream: str
    sql: str
    columns: dict[str, str]
    x: str = "Time"
    by: str = ""
    unit: str = "numbers"
    width: int = 24
    description: str = ""

    def body(self, key: str, layout: dict[str, int]) -> dict[str, object]:
        """Give its JSON.

        Args:
            key: unique within the dashboard.
            layout: place in the grid.
        """
        fields = {
            "stream": self.stream,
            "stream_type": "logs",
            "x": [_axis(self.x, "x_axis_1")] if self.x else [],
            "y": [_axis(label, alias) for alias, label in self.columns.items()],
            "z": [],
            "breakdown": [_axis(self.by, "breakdown_1")] if self.by else [],
            "filter": _NO_FILTER,
        }
        query = {
            "query": self.sql,
            "vrlFunctionQuery": "",
            "customQuery": True,
            "config": {"promql_legend": ""},
            "fields": fields,
        }
        legends = self.kind not in ("metric", "table") and (bool(self.by) or len(self.columns) > 1)
        return {
            "id": key,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "config": {
                "show_legends": legends,
                "legends_position": "bottom",
                "unit": self.unit,
                "decimals": 1,
            },
            "queryType": "sql",
            "layout": layout,
            "queries": [query],
        }


@final
@attrs.frozen
class Dashboard:
    """One dashboard.

    Attributes:
        title: unique among ours; the server itself allows titles to repeat.
        description: what it is for.
        panels: from left to right, row by row.
    """

    title: str
    description: str
    panels: tuple[Panel, ...]

    def body(self) -> dict[str, object]:
        """Give the body of the call that creates or replaces it."""
        panels = [panel.body(f"p{at}", layout) for at, (panel, layout) in enumerate(_placed(self.panels), 1)]
        body: dict[str, object] = {
            "version": 5,
            "title": self.title,
            "description": f"{self.description} ({MARK})",
            "tabs": [{"tabId": "default", "name": "Default", "panels": panels}],
            "variables": {
                "list": [_variable("message_type", "Message type"), _variable("service", "Service")],
                "showDynamicFilters": True,
            },
            "defaultDatetimeDuration": {"type": "relative", "relativeTimePeriod": "1h"},
        }
        return stamped(body, "dashboard", self.title)


def _axis(label: str, alias: str) -> dict[str, object]:
    return {"label": label, "alias": alias, "column": alias, "color": None}


def _variable(name: str, label: str) -> dict[str, object]:
    """A text that a name is compared with by LIKE: `%` is all of them, `Place%` those that begin so."""
    return {"type": "textbox", "name": name, "label": f"{label} (% = all)", "value": "%", "options": []}


def _placed(panels: Sequence[Panel]) -> Iterable[tuple[Panel, dict[str, int]]]:
    x = y = 0
    for at, panel in enumerate(panels, 1):
        if x + panel.width > WIDTH:
            x, y = 0, y + _HEIGHT
        yield panel, {"x": x, "y": y, "w": panel.width, "h": _HEIGHT, "i": at}
        x += panel.width
