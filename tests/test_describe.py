from typing import Any

import attrs
from returns.result import Result, Success

from cqrs import Command, Event, Feature
from cqrs.describe import (
    AppDescription,
    PluginDescription,
    describe_plugin,
    handlers_text,
    plugins_text,
)
from cqrs.plugins import LoadedPlugin, Plugin


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Placed(Event):
    """An event."""


@attrs.frozen
class Cancelled(Event):
    """Another event."""


class Journal(Plugin):
    """A plugin."""

    name = "journal"


async def place(_message: Any) -> Result[int, str]:
    return Success(1)


def test_an_app_is_described_handler_by_handler(compose_app: Any) -> None:
    """Each handler and subscriber stands with its messages, place and pipeline; plugins with their state."""
    feature = Feature("orders")
    feature.handles(Place, timeout=2.0)(place)
    feature.subscribes(Placed, Cancelled, name="mail")(place)

    description = compose_app(feature, plugins=(Journal(),)).check().unwrap()

    assert description.plugins == (PluginDescription("journal", "", "active", ""),)
    assert [handler.messages for handler in description.handlers] == [("Place",), ("Placed", "Cancelled")]
    first, stages, second, _ = handlers_text(description).splitlines()
    assert first.startswith(f"command Place  →  {__name__}.place  ")
    assert "test_describe.py:" in first
    assert stages.strip() == f"guard > timeout 2 s > handler {__name__}.place"
    assert second.startswith("event   Placed, Cancelled  →  mail  ")


def test_nothing_is_said_as_nothing() -> None:
    """An app without handlers and a machine without plugins each give a sentence."""
    assert handlers_text(AppDescription((), ())) == "no handlers"
    assert plugins_text(()) == "no plugins installed"


def test_a_plugin_is_listed_with_its_distribution_and_reason() -> None:
    """One line per plugin: name, state, where it comes from, and why it does not run."""
    good = LoadedPlugin("journal", "shop-journal", "1.2", "active")
    bad = good.failed("load", "ImportError: no httpx.", "install it.")
    given = LoadedPlugin("mine", "", "", "off", "not wanted")

    lines = plugins_text(describe_plugin(plugin) for plugin in (good, bad, given)).splitlines()

    assert [line.split(maxsplit=2) for line in lines] == [
        ["journal", "active", "shop-journal 1.2"],
        ["journal", "failed", "shop-journal 1.2: ImportError: no httpx."],
        ["mine", "off", "given in code: not wanted"],
    ]
