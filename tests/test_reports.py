import json
from typing import Any

import attrs
from returns.result import Result, Success

from cqrs import Command, Feature
from cqrs.describe import PluginDescription
from cqrs.problems import Code, Problem
from cqrs.reports import (
    check_json,
    config_json,
    config_text,
    handlers_json,
    plugins_json,
    problems_github,
    refusal_json,
)
from cqrs.settings import SettingReport


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


async def place(_command: Place) -> Result[int, str]:
    return Success(1)


WITH_PLACE = Problem(Code.NOT_ASYNC, "100 % wrong,\nsay: all.", "mend it.", "shop, old.py:12")
WITHOUT_PLACE = Problem(Code.BAD_SETTING, "no port.", "set one.")
GOOD = PluginDescription(
    "journal", "shop-journal 1.2", "active", "", (SettingReport("SHOP_PORT", "80", "SHOP_PORT"),)
)
BAD = PluginDescription("mine", "", "failed", "no port.")


def test_problems_are_annotations_of_a_code_review() -> None:
    """One workflow command a problem, at its line if it has one; what would end a command or property is escaped."""
    assert problems_github([WITH_PLACE, WITHOUT_PLACE], "error").splitlines() == [
        "::error file=shop%2C old.py,line=12,title=CQRS-007::100 %25 wrong,%0Asay: all. Fix: mend it.",
        "::error title=CQRS-020::no port. Fix: set one.",
    ]
    assert problems_github([WITHOUT_PLACE], "warning").startswith("::warning ")


def test_a_check_that_failed_is_an_object_with_its_problems() -> None:
    """Each problem has code, text, fix, file and line, the last two null where it has no place."""
    report = json.loads(check_json("shop:app", [WITH_PLACE, WITHOUT_PLACE], None))

    assert (report["app"], report["ok"], report["warnings"]) == ("shop:app", False, [])
    assert report["problems"] == [
        {
            "code": "CQRS-007", "text": "100 % wrong,\nsay: all.", "fix": "mend it.", "file": "shop, old.py", "line": 12,
        },
        {"code": "CQRS-020", "text": "no port.", "fix": "set one.", "file": None, "line": None},
    ]  # fmt: skip


def test_a_check_that_passed_says_what_there_is(compose_app: Any) -> None:
    """The number of handlers, the plugins, and what was warned of."""
    feature = Feature("orders")
    feature.handles(Place)(place)
    description = attrs.evolve(
        compose_app(feature).check().unwrap(), plugins=(GOOD,), warnings=(WITHOUT_PLACE,)
    )

    report = json.loads(check_json("shop:app", (), description))

    assert (report["ok"], report["problems"], report["handlers"]) == (True, [], 1)
    assert [warning["code"] for warning in report["warnings"]] == ["CQRS-020"]
    assert report["plugins"] == [
        {"name": "journal", "distribution": "shop-journal 1.2", "state": "active", "reason": None}
    ]


def test_an_app_that_is_not_there_is_an_object_too() -> None:
    """A program that reads the outcome finds the same fields, and the error."""
    report = json.loads(refusal_json("shop:app", "nothing there"))

    assert report == {
        "app": "shop:app",
        "ok": False,
        "error": "nothing there",
        "problems": [],
        "warnings": [],
    }


def test_handlers_are_objects(compose_app: Any) -> None:
    """Each with its messages, its place apart as file and line, and its pipeline."""
    feature = Feature("orders")
    feature.handles(Place, timeout=2.0)(place)

    (handler,) = json.loads(handlers_json(compose_app(feature).check().unwrap()))

    assert (handler["kind"], handler["messages"], handler["timeout"]) == ("command", ["Place"], 2.0)
    assert handler["file"].endswith("test_reports.py")
    assert handler["line"] == place.__code__.co_firstlineno
    assert handler["stages"][-1] == f"handler {__name__}.place"
    assert handler["names_events"] == []


def test_plugins_and_settings_are_objects_and_lines() -> None:
    """States and reasons, and below each plugin what it has read and from where."""
    assert [plugin["state"] for plugin in json.loads(plugins_json([GOOD, BAD]))] == ["active", "failed"]
    assert json.loads(config_json([GOOD]))[0]["settings"] == [
        {"variable": "SHOP_PORT", "value": "80", "source": "SHOP_PORT"}
    ]
    assert config_text([GOOD, BAD]).splitlines() == [
        "journal: active",
        "  SHOP_PORT=80  (SHOP_PORT)",
        "mine: failed, no port.",
    ]
    assert config_text([]) == "no plugins installed"
