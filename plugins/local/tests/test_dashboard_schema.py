"""What a dashboard must hold."""

from typing import Any

import pytest
from cqrs_local.answers import RefusedError
from cqrs_local.dashboard_schema import dashboard_of, encoded, hash_of
from cqrs_local.emulation import Emulation

FILTER = {"filterType": "group", "logicalOperator": "AND", "conditions": []}
AXIS = {"label": "Time", "alias": "x_axis_1", "column": "_timestamp", "color": None}
FIELDS = {"stream": "s", "stream_type": "logs", "x": [AXIS], "y": [], "filter": FILTER}
QUERY = {"query": "SELECT 1", "customQuery": True, "fields": FIELDS, "config": {"promql_legend": ""}}
PANEL = {
    "id": "p", "type": "line", "title": "t", "description": "", "config": {"show_legends": True},
    "queries": [QUERY], "layout": {"x": 0, "y": 0, "w": 1, "h": 1, "i": 1},
}  # fmt: skip
BOARD = {
    "version": 5,
    "title": "t",
    "description": "",
    "tabs": [{"tabId": "d", "name": "D", "panels": [PANEL]}],
}


def board(**panel: object) -> dict[str, Any]:
    changed = {key: value for key, value in {**PANEL, **panel}.items() if value is not ...}
    return {**BOARD, "tabs": [{"tabId": "d", "name": "D", "panels": [changed]}]}


@pytest.mark.parametrize("missing", ["id", "type", "title", "description", "config", "queries", "layout"])
def test_each_required_key_of_a_panel_is_required(missing: str) -> None:
    """422 that names it."""
    with pytest.raises(RefusedError) as refused:
        dashboard_of(board(**{missing: ...}), Emulation.NEWEST)

    assert (refused.value.answer.status, f"`{missing}`".encode() in refused.value.answer.body) == (422, True)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({**BOARD, "title": ""}, 500),
        ({**BOARD, "title": " "}, 500),
        ({key: value for key, value in BOARD.items() if key != "title"}, 500),
        ({**BOARD, "title": None}, 422),
        ({**BOARD, "variables": {"list": [{"name": "v", "value": ["a"]}]}}, 422),
        ({**BOARD, "variables": {"list": "v"}}, 422),
        ({**BOARD, "version": 9}, 422),
        ({**BOARD, "version": "5"}, 422),
        ({**BOARD, "tabs": [{"name": "D"}]}, 422),
        ({**BOARD, "tabs": {}}, 422),
        (board(layout={"x": 1.5}), 422),
        (board(config={}), 422),
        (board(queries=[{**QUERY, "config": {}}]), 422),
        (board(queries=[{**QUERY, "fields": {**FIELDS, "x": [{"label": "no alias"}]}}]), 422),
        (board(queries="SELECT"), 422),
        (board(config=[]), 422),
    ],
)
def test_what_is_of_another_form_is_refused(content: dict[str, Any], status: int) -> None:
    """With the status of the server."""
    with pytest.raises(RefusedError) as refused:
        dashboard_of(content, Emulation.NEWEST)

    assert refused.value.answer.status == status


def test_versions_beyond_5_are_for_the_newest_server() -> None:
    """0.16 does not know them."""
    content = {**BOARD, "version": 8}

    assert encoded(dashboard_of(content, Emulation.NEWEST), Emulation.NEWEST)["v8"] is not None
    with pytest.raises(RefusedError):
        dashboard_of(content, Emulation.V0_16)


def test_the_hash_is_of_the_content() -> None:
    """Digits; the same for the same content in another order, another one for another content."""
    one = dashboard_of(BOARD, Emulation.NEWEST)

    assert hash_of(one) == hash_of(dict(reversed(one.items())))
    assert hash_of(one) != hash_of({**one, "description": "x"})
    assert hash_of(one).isdecimal()
