from typing import Any

import attrs
import pytest
from returns.result import Failure, Success

from cqrs.instrumentation import Instrument
from cqrs.middleware import HandlerInfo, Next
from cqrs.plugins import API, LoadedPlugin, Plugin, PluginBuilder, PluginProblem
from cqrs.settings import integer, load, setting


@attrs.frozen
class Settings:
    """Settings of a plugin."""

    port: int = setting("SHOP_PORT", integer(1, 65_535), doc="the port.", example="5080")


def passing(next: Next, _handler: HandlerInfo) -> Next:
    return next


async def test_a_plugin_that_overrides_nothing_adds_nothing() -> None:
    """The base class is a plugin: it configures, starts and stops without doing anything."""
    plugin, builder = Plugin(), PluginBuilder({})

    assert plugin.api == API
    assert plugin.configure(builder) == Success(None)
    async with plugin.lifespan():
        pass
    assert (builder.instruments, builder.services, builder.off, builder.loaded) == ([], {}, "", ())


def test_a_builder_keeps_what_it_is_given() -> None:
    """Instruments, services and the reason to stand down are kept for the app."""
    builder, instrument = PluginBuilder({"A": "1"}), Instrument()
    builder.instrument(instrument)
    builder.register(int, 5)
    builder.stand_down("nothing to do")

    assert builder.env == {"A": "1"}
    assert builder.instruments == [instrument]
    assert builder.services == {int: 5}
    assert builder.off == "nothing to do"


def test_a_builder_loads_settings_with_given_values_first() -> None:
    """Settings come from the environment, values given in code win, and what was loaded is kept for `cqrs config`."""
    builder = PluginBuilder({"SHOP_PORT": "nonsense"}, {"port": 80})

    assert builder.load(Settings) == Success(Settings(port=80))
    assert builder.loaded == (Settings(port=80),)


def test_settings_that_cannot_be_loaded_are_not_kept() -> None:
    """A Failure is what `load` itself would give, and leaves nothing behind."""
    builder = PluginBuilder({"SHOP_PORT": "nonsense"})

    assert builder.load(Settings) == load(Settings, {"SHOP_PORT": "nonsense"})
    assert isinstance(builder.load(Settings), Failure)
    assert builder.loaded == ()


@pytest.mark.parametrize(
    ("distribution", "origin"),
    [("shop-journal", " (shop-journal 1.2)"), ("", "")],
    ids=["installed", "given"],
)
def test_a_plugins_problem_names_everything(distribution: str, origin: str) -> None:
    """One line says which plugin of which distribution failed, how far it came, why and what to do."""
    problem = PluginProblem("journal", distribution, "1.2", "load", "ImportError: no httpx.", "install it.")

    assert str(problem) == f"plugin journal{origin} failed to load: ImportError: no httpx. Fix: install it."


def test_a_plugin_that_failed_adds_nothing_any_more() -> None:
    """Failing drops what was to be added, and keeps name and origin."""
    loaded = LoadedPlugin(
        "journal", "shop-journal", "1.2", "active", plugin=Plugin(), builder=PluginBuilder({})
    )

    failed = loaded.failed("configure", "no port.", "set one.")

    assert (failed.state, failed.reason, failed.builder) == ("failed", "no port.", None)
    assert failed.problem == PluginProblem(
        "journal", "shop-journal", "1.2", "configure", "no port.", "set one."
    )


@pytest.mark.parametrize(
    ("kind", "inner"), [("commands", "invalidation"), ("queries", "cache"), ("events", "invalidation")]
)
def test_a_builder_keeps_middleware_by_kind_and_slot(kind: str, inner: Any) -> None:
    """Each kind has a slot outside of the user's middleware and one inside; a slot of another kind is refused."""
    builder = PluginBuilder({}, plugin="swr")
    wrap = getattr(builder, f"wrap_{kind}")

    wrap(passing, inner)
    wrap(passing)
    with pytest.raises(ValueError, match=f"outside and {inner}, not 'cellar'"):
        wrap(passing, "cellar")

    kept = [(wrap.slot, wrap.middleware, wrap.plugin) for wraps in builder.wraps.values() for wrap in wraps]
    assert kept == [(inner, passing, "swr"), ("outside", passing, "swr")]


@pytest.mark.parametrize(
    "add",
    [
        lambda builder: builder.instrument(Instrument()),
        lambda builder: builder.register(int, 5),
        lambda builder: builder.stand_down("too late"),
        lambda builder: builder.wrap_queries(passing, "cache"),
    ],
    ids=["instrument", "register", "stand down", "wrap"],
)
def test_nothing_is_added_once_configure_has_ended(add: Any) -> None:
    """A plugin that keeps its builder and adds something later is told so: it would never be used."""
    builder = PluginBuilder({})
    builder.close()

    with pytest.raises(RuntimeError, match="configure has ended"):
        add(builder)
