"""Dashboards as values and as JSON."""

from typing import Any

from cqrs_openobserve.provision.dashboards import WIDTH, Dashboard, Panel

LINE = Panel("t", "line", "s", "SELECT 1", {"y_axis_1": "p95"}, unit="milliseconds")


def body(*panels: Panel) -> Any:
    return Dashboard("Title", "For a test", panels).body()


def test_every_key_that_a_server_requires_is_there() -> None:
    """Each is missed by some version: see the reference, §8."""
    content = body(LINE)
    (panel,) = content["tabs"][0]["panels"]
    (query,) = panel["queries"]

    assert (content["version"], content["title"]) == (5, "Title")
    assert {"id", "type", "title", "description", "config", "queries", "layout", "queryType"} <= set(panel)
    assert panel["config"]["show_legends"] is False
    assert (query["customQuery"], query["config"]) == (True, {"promql_legend": ""})
    assert {"stream", "stream_type", "x", "y", "filter"} <= set(query["fields"])
    assert all(
        {"label", "alias", "column"} <= set(axis) for axis in (*query["fields"]["x"], *query["fields"]["y"])
    )


def test_panels_fill_the_grid_from_left_to_right() -> None:
    """Whole numbers, no overlap, each with a number of its own."""
    layouts = [panel["layout"] for panel in body(*[LINE] * 3)["tabs"][0]["panels"]]

    assert [(layout["x"], layout["y"]) for layout in layouts] == [(0, 0), (24, 0), (0, 9)]
    assert [layout["i"] for layout in layouts] == [1, 2, 3]
    assert all(layout["x"] + layout["w"] <= WIDTH for layout in layouts)


def test_axes_name_the_columns_of_the_query() -> None:
    """A breakdown has one of its own, a single number no time."""
    apart = Panel("t", "area-stacked", "s", "SELECT 1", {"y_axis_1": "n"}, by="Outcome").body("p", {})
    number: Any = Panel("t", "metric", "s", "SELECT 1", {"y_axis_1": "n"}, x="").body("p", {})

    assert apart["queries"][0]["fields"]["breakdown"][0]["alias"] == "breakdown_1"  # type: ignore[index]  # a list
    assert (number["queries"][0]["fields"]["x"], number["config"]["show_legends"]) == ([], False)


def test_variables_leave_everything_in_at_first() -> None:
    """`%`, so that a dashboard shows something when it is opened."""
    assert {each["name"]: each["value"] for each in body()["variables"]["list"]} == {
        "message_type": "%",
        "service": "%",
    }
