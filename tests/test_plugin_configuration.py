import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from returns.result import Failure, Result, Success

from cqrs import plugin_configuration
from cqrs.dead_letter import MemoryDeadLetterQueue
from cqrs.plugin_configuration import configured, watched
from cqrs.plugins import LoadedPlugin, Plugin, PluginBuilder
from cqrs.problems import Code, Problem

Configure = Callable[[PluginBuilder], Any]


class Stock:
    """A service."""


def loaded(name: str, configure: Configure = lambda _builder: None, **attributes: Any) -> LoadedPlugin:
    def run(_self: Plugin, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        answer = configure(builder)
        return answer if isinstance(answer, Failure) else Success(None)

    kind = type("Named", (Plugin,), {"configure": run, **attributes})
    return LoadedPlugin(name, f"shop-{name}", "1.0", "active", plugin=kind())


def states(plugins: tuple[LoadedPlugin, ...]) -> dict[str, str]:
    return {plugin.name: plugin.state for plugin in plugins}


def registering(service: type) -> Configure:
    return lambda builder: builder.register(service, service())


def test_plugins_are_configured_in_their_order() -> None:
    """A plugin finds what it requires configured before it."""
    order: list[str] = []
    plugins = [
        loaded("a", lambda _b: order.append("a"), requires=("b",)), loaded("b", lambda _b: order.append("b")),
    ]  # fmt: skip

    assert states(configured(plugins, {})) == {"b": "active", "a": "active"}
    assert order == ["b", "a"]


def test_a_plugin_whose_need_failed_is_not_configured() -> None:
    """It fails with the name and the reason of what it needs, along the whole chain; others are unharmed."""
    called: list[str] = []
    broken = Failure((Problem(Code.BAD_SETTING, "no port.", "set it."),))
    plugins = [
        loaded("a", lambda _b: called.append("a"), requires=("b",)),
        loaded("b", lambda _b: called.append("b"), requires=("c",)),
        loaded("c", lambda _b: broken),
        loaded("d"),
    ]

    done = {plugin.name: plugin for plugin in configured(plugins, {})}

    assert {name: plugin.state for name, plugin in done.items()} == {
        "a": "failed", "b": "failed", "c": "failed", "d": "active",
    }  # fmt: skip
    assert called == []
    assert done["b"].reason == "it needs the plugin c, which is failed: no port."
    assert "it needs the plugin b, which is failed" in done["a"].reason


@pytest.mark.parametrize("names", ["b", ["b"], ("b", 5), None], ids=repr)
def test_needs_that_are_no_names_fail_their_plugin(names: Any) -> None:
    """A text instead of a tuple would be read letter by letter; it is told instead."""
    (plugin,) = configured([loaded("a", requires=names)], {})

    assert plugin.state == "failed"
    assert plugin.reason == f"its requires is {names!r}, not a tuple of plugin names."


def test_an_attribute_that_raises_fails_its_plugin() -> None:
    """A plugin's attributes may be properties, and those may raise."""
    (plugin,) = configured([loaded("a", api=property(lambda _self: 1 / 0))], {})

    assert (plugin.state, plugin.reason) == ("failed", "ZeroDivisionError: division by zero.")


def test_two_plugins_that_register_one_type_both_fail() -> None:
    """Neither wins by chance: each names the type and the other, and who needs one of them fails too."""
    plugins = [
        loaded("north", registering(Stock)), loaded("south", registering(Stock)),
        loaded("west", requires=("north",)), loaded("east", registering(int)),
    ]  # fmt: skip

    done = {plugin.name: plugin for plugin in configured(plugins, {})}

    assert {name: plugin.state for name, plugin in done.items()} == {
        "north": "failed", "south": "failed", "west": "failed", "east": "active",
    }  # fmt: skip
    assert f"it registers {__name__}.Stock, and so does south" in done["north"].reason
    assert f"it registers {__name__}.Stock, and so does north" in done["south"].reason
    assert done["north"].builder is None


def test_two_plugins_that_keep_dead_letters_both_fail() -> None:
    """An event must not be parked in a place that nobody looks into: which of two it would be is not left to chance."""
    plugins = [loaded(name, lambda b: b.dead_letters(MemoryDeadLetterQueue())) for name in ("north", "south")]

    done = configured(plugins, {})

    assert [plugin.state for plugin in done] == ["failed", "failed"]
    assert "DeadLetterQueue, and so does south" in done[0].reason


def test_a_plugin_does_not_take_the_place_of_what_the_app_provides() -> None:
    """A type that the app itself provides stays the app's; the plugin fails and says so."""
    (plugin,) = configured(
        [loaded("north", registering(Stock))], {}, provides=lambda service: service is Stock
    )

    assert plugin.state == "failed"
    assert "and so does the app itself" in plugin.reason


def test_a_builder_that_is_kept_adds_nothing_later() -> None:
    """Once configure has answered, or raised, its builder takes nothing more."""
    kept: list[PluginBuilder] = []

    def keeps(builder: PluginBuilder) -> None:
        kept.append(builder)
        if len(kept) == 2:
            raise OSError("no disk")

    configured([loaded("a", keeps), loaded("b", keeps)], {})

    for builder in kept:
        with pytest.raises(RuntimeError, match="configure has ended"):
            builder.register(Stock, Stock())


def test_a_plugin_that_takes_long_is_named_while_it_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The warning comes while the plugin is still busy, for it may never end; the app waits, then uses it."""
    monkeypatch.setattr(plugin_configuration, "PATIENCE_SECONDS", 0.01)

    def slow(_builder: PluginBuilder) -> None:
        deadline = time.monotonic() + 15
        while not caplog.records and time.monotonic() < deadline:
            time.sleep(0.01)
        assert caplog.records

    (plugin,) = configured([loaded("slow", slow)], {})

    (record,) = caplog.records
    assert plugin.state == "active"
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(
        "plugin slow (shop-slow 1.0) is still being configured after 0.01 s."
    )
    assert "CQRS_PLUGINS_DISABLED=slow" in record.getMessage()


def test_a_plugin_that_is_quick_is_not_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is warned of a plugin that takes its usual time, nor after it."""
    monkeypatch.setattr(plugin_configuration, "PATIENCE_SECONDS", 60.0)

    configured([loaded("quick")], {})

    assert caplog.records == []
    assert [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, threading.Timer) and not thread.finished.is_set()
    ] == []


def test_a_machine_without_threads_still_configures(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no thread can be started nobody watches, which is said, and the plugin is used."""

    def refuse(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", refuse)
    with watched(loaded("a"), "imported"):
        pass

    assert "plugin a is not watched while imported: can't start new thread" in caplog.text
