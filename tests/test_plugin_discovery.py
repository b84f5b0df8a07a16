import logging
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs.plugin_discovery import foreign_owners, gather
from cqrs.plugins import API, LoadedPlugin, Plugin, PluginBuilder
from cqrs.problems import Code, Problem
from cqrs.settings import integer, secret, setting

Install = Callable[..., None]

CANARY = "canary-90e1"

GOOD = """
from cqrs.plugins import Plugin
class Good(Plugin):
    name = "good"
"""


def group(**entries: str) -> str:
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    return f"[cqrs.plugins]\n{lines}"


@pytest.fixture
def found(site: Path) -> Callable[..., dict[str, LoadedPlugin]]:
    """Gather the plugins of the test's own distributions alone, by name."""

    def gathered(**env: str) -> dict[str, LoadedPlugin]:
        plugins = gather(None, env, list(distributions(path=[str(site)])))
        assert [p.name for p in plugins] == sorted(p.name for p in plugins)
        return {plugin.name: plugin for plugin in plugins}

    return gathered


@attrs.frozen
class Settings:
    """Settings of which two are required."""

    url: str = setting("SHOP_URL", integer(1, 9), doc="where.", example="5")
    token: object = setting("SHOP_TOKEN", secret(), doc="what opens it.", example="t")
    batch: int = setting("SHOP_BATCH", integer(1, 9), doc="how many.", example="5", default=5)


class Configured(Plugin):
    """A plugin that loads its settings."""

    name = "configured"
    settings = Settings

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Load."""
        return builder.load(Settings).map(lambda _: None)


def test_a_plugin_is_found_by_its_entry_point(found: Any, install: Install) -> None:
    """An installed plugin is imported, made and configured, and known with its distribution and version."""
    install("shop-good", group(good="shop_good:Good"), version="2.1", shop_good=GOOD)

    plugin = found()["good"]

    assert (plugin.state, plugin.distribution, plugin.version) == ("active", "shop-good", "2.1")
    assert type(plugin.plugin).__name__ == "Good"
    assert plugin.builder is not None


@pytest.mark.parametrize(
    ("source", "value", "reason"),
    [
        ("import no_such_library", "bad:Bad", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("def broken(:\n", "bad:Bad", "SyntaxError"),
        ("raise SystemExit(3)", "bad:Bad", "SystemExit: 3"),
        ("raise ValueError('on import')", "bad:Bad", "ValueError: on import"),
        ("", "bad:Bad", "AttributeError"),
        ("", "no_such_module:Bad", "No module named 'no_such_module'"),
        ("Bad = dict", "bad:Bad", "it is a dict, not a cqrs Plugin"),
        ("Bad = 5", "bad:Bad", "TypeError: 'int' object is not callable"),
        ("def Bad(): raise SystemExit", "bad:Bad", "SystemExit"),
        ("def Bad(required): ...", "bad:Bad", "missing 1 required positional argument"),
        ("", "not a value", "not a value"),
    ],
    ids=[
        "missing library", "syntax error", "exits", "raises", "missing attribute", "missing module",
        "not a plugin", "not callable", "factory exits", "factory with parameters", "malformed value",
    ],
)  # fmt: skip
def test_a_plugin_that_cannot_be_loaded_fails_alone(
    source: str, value: str, reason: str, found: Any, install: Install
) -> None:
    """Whatever importing or making it does, the plugin is named with distribution and reason; others are active."""
    install("shop-bad", group(bad=value), bad=source)
    install("shop-good", group(good="shop_good:Good"), shop_good=GOOD)

    plugins = found()

    assert plugins["good"].state == "active"
    assert plugins["bad"].state == "failed"
    assert plugins["bad"].problem.stage == "load"
    assert reason in plugins["bad"].reason
    missing = "No module named" in reason
    advice = "pip install shop-bad with what it needs" if missing else "mend or uninstall shop-bad"
    assert plugins["bad"].problem.hint == f"{advice}, or set CQRS_PLUGINS_DISABLED=bad."


@pytest.mark.parametrize(
    ("api", "reason"),
    [
        ((API[0] + 1, 0), f"written for plugin API {API[0] + 1}.0; this core has 1.0"),
        ((API[0], API[1] + 1), "written for plugin API 1.1; this core has 1.0"),
        ((0, 9), "written for plugin API 0.9; this core has 1.0"),
        (None, "TypeError"),
        (1, "TypeError"),
        ("1.0", "its api is '1.0', not a version such as (1, 0)"),
        ((1,), "its api is (1,), not a version"),
        ((1, "0"), "its api is (1, '0'), not a version"),
    ],
    ids=repr,
)
def test_a_plugin_of_another_version_is_left_out(api: Any, reason: str) -> None:
    """Older, newer, missing or malformed versions of the interface are told with what this core has."""

    class Versioned(Plugin):
        name = "versioned"

    Versioned.api = api
    (plugin,) = gather((Versioned(),), {})

    assert plugin.state == "failed"
    assert reason in plugin.reason


def test_a_malformed_file_of_another_distribution_hides_no_plugin(
    found: Any, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """Entry points that cannot be parsed cost their own distribution, which is named in one WARNING; a sound one none."""
    install("shop-good", group(good="shop_good:Good"), shop_good=GOOD)
    install("aaa-broken", "this line has no equals sign\n[console_scripts\n")
    install("sound", "# a comment\n\n[console_scripts]\nshop = shop:main\n  [gui_scripts]\n")
    install("zzz-broken", b"[console_scripts]\nx = \xff\xfe\n")

    plugins = found()

    assert {name: plugin.state for name, plugin in plugins.items()} == {"good": "active"}
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [line.split(" 1.0 ")[0] for line in sorted(warned)] == [
        "entry_points.txt of aaa-broken",
        "entry_points.txt of zzz-broken",
    ]
    assert [r for r in caplog.records if r.levelno > logging.WARNING] == []


def test_a_malformed_file_of_a_plugin_is_told(found: Any, install: Install) -> None:
    """A distribution that means to bring a plugin but cannot be parsed is a failed plugin of its own name."""
    install("shop-good", group(good="shop_good:Good"), shop_good=GOOD)
    install("shop-broken", "[cqrs.plugins]\nno equals sign here\n")

    plugins = found()

    assert plugins["good"].state == "active"
    broken = plugins["shop-broken"]
    assert (broken.state, broken.problem.stage) == ("failed", "discover")
    assert "entry_points.txt is malformed" in broken.reason
    assert found(CQRS_PLUGINS="none")["shop-broken"].state == "excluded"


def test_a_distribution_without_metadata_is_still_named(found: Any, install: Install, site: Path) -> None:
    """Where not even the name can be read, the plugins work and are known by their place on disk."""
    for name in ["one", "two"]:
        install(f"shop-{name}", group(**{name: f"nameless_{name}:Good"}), **{f"nameless_{name}": GOOD})
    for metadata in site.glob("*.dist-info/METADATA"):
        metadata.unlink()

    plugins = found()

    assert [plugin.state for plugin in plugins.values()] == ["active", "active"]
    assert "shop_one-1.0.dist-info" in plugins["one"].distribution


def test_two_distributions_of_one_name_both_stay_out(install: Install, site: Path) -> None:
    """Neither of two rivals is imported; each names both and what to do."""
    for name in ["north", "south"]:
        install(f"shop-{name}", group(twin=f"twin_{name}:Good"), **{f"twin_{name}": "raise AssertionError"})

    plugins = gather(None, {}, list(distributions(path=[str(site)])))

    assert [plugin.state for plugin in plugins] == ["failed", "failed"]
    assert {plugin.reason for plugin in plugins} == {"shop-north 1.0 and shop-south 1.0 both bring it."}
    assert "twin_north" not in sys.modules


def test_a_rival_that_is_excluded_is_no_rival(found: Any, install: Install) -> None:
    """Nothing of an excluded name is loaded, so that there is nothing to clash."""
    for name in ["north", "south"]:
        install(f"shop-{name}", group(twin=f"twin_{name}:Good"), **{f"twin_{name}": GOOD})

    assert found(CQRS_PLUGINS_DISABLED="twin")["twin"].state == "excluded"


def test_a_distribution_that_is_found_twice_counts_once(install: Install, site: Path) -> None:
    """The same distribution in two places of sys.path is the first of them, not a rival of itself."""
    install("shop-good", group(good="shop_good:Good"), shop_good=GOOD)
    everything = [*distributions(path=[str(site)]), *distributions(path=[str(site)])]

    (plugin,) = gather(None, {}, everything)

    assert plugin.state == "active"


@pytest.mark.parametrize(
    ("env", "states"),
    [
        ({}, {"one": "active", "two": "active"}),
        ({"CQRS_PLUGINS": " "}, {"one": "active", "two": "active"}),
        ({"CQRS_PLUGINS": "none"}, {"one": "excluded", "two": "excluded"}),
        ({"CQRS_PLUGINS": "one"}, {"one": "active", "two": "excluded"}),
        ({"CQRS_PLUGINS": "two, one"}, {"one": "active", "two": "active"}),
        ({"CQRS_PLUGINS_DISABLED": "one"}, {"one": "excluded", "two": "active"}),
        ({"CQRS_PLUGINS": "one", "CQRS_PLUGINS_DISABLED": "one"}, {"one": "excluded", "two": "excluded"}),
        ({"CQRS_PLUGINS": None, "CQRS_PLUGINS_DISABLED": 5}, {"one": "active", "two": "active"}),
    ],
    ids=str,
)
def test_plugins_are_selected_before_anything_of_them_is_imported(
    env: Mapping[str, Any], states: dict[str, str], found: Any, install: Install
) -> None:
    """Allow-list, `none` and deny-list decide by name; what is excluded is not imported and says by which variable."""
    for name in states:
        install(f"shop-{name}", group(**{name: f"select_{name}:Good"}), **{f"select_{name}": GOOD})

    plugins = found(**env)

    assert {name: plugin.state for name, plugin in plugins.items()} == states
    for name, state in states.items():
        assert (f"select_{name}" in sys.modules) is (state == "active")
        assert ("CQRS_PLUGINS" in plugins[name].reason) is (state == "excluded")


@pytest.mark.parametrize("variable", ["CQRS_PLUGINS", "CQRS_PLUGINS_DISABLED"])
def test_an_unknown_name_is_warned_of_with_the_nearest(
    variable: str, found: Any, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """A misspelt name in either list is one warning with the variable, the name and what was probably meant."""
    install("shop-good", group(openobserve="shop_good:Good"), shop_good=GOOD)

    found(**{variable: "openobserv,zzz"})

    assert [record.getMessage() for record in caplog.records] == [
        f"{variable} names 'openobserv': did you mean openobserve?",
        f"{variable} names 'zzz': no plugin of that name is installed.",
    ]


def test_a_plugin_whose_required_settings_are_absent_is_off_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not wanting a plugin is no mistake: nothing is logged at all while it is gathered."""
    caplog.set_level(logging.DEBUG)

    (plugin,) = gather((Configured(),), {"SHOP_BATCH": "nonsense"})

    assert (plugin.state, plugin.reason) == ("off", "none of its required settings is set")
    assert caplog.records == []


def test_a_plugin_whose_settings_are_partly_set_lists_what_is_missing() -> None:
    """One required variable without the other is a failure that names the other, and every wrong one."""
    (plugin,) = gather((Configured(),), {"SHOP_URL": "5", "SHOP_BATCH": "many"})

    assert plugin.state == "failed"
    assert "SHOP_TOKEN is not set" in plugin.reason
    assert "SHOP_BATCH='many'" in plugin.reason
    assert plugin.problem is not None
    assert "SHOP_TOKEN=t" in plugin.problem.hint


def test_values_given_in_code_keep_a_plugin_on() -> None:
    """With given values a plugin is configured though no variable is set, and says what it still lacks."""
    plugin = Configured()
    plugin.given = {"url": "x"}

    (loaded,) = gather((plugin,), {})

    assert loaded.state == "failed"
    assert "SHOP_TOKEN is not set" in loaded.reason
    assert "SHOP_URL" not in loaded.reason


def test_a_plugin_that_requires_nothing_is_on() -> None:
    """Settings that all have defaults never switch their plugin off."""

    @attrs.frozen
    class Defaults:
        batch: int = setting("SHOP_BATCH", integer(1, 9), doc="how many.", example="5", default=5)

    class Defaulted(Plugin):
        name = "defaulted"
        settings = Defaults

    (plugin,) = gather((Defaulted(),), {})

    assert plugin.state == "active"


def test_a_wrong_secret_is_in_no_reason() -> None:
    """The text of a secret is not in what a failed plugin is told by."""
    (plugin,) = gather((Configured(),), {"SHOP_URL": "5", "SHOP_TOKEN": f"{CANARY}\n{CANARY}"})

    assert plugin.state == "failed"
    assert CANARY not in f"{plugin!r} {plugin.problem}"


@pytest.mark.parametrize(
    ("configure", "reason"),
    [
        (lambda: 1 / 0, "ZeroDivisionError: division by zero."),
        (lambda: sys.exit("bye"), "SystemExit: bye."),
        (lambda: Failure((Problem(Code.BAD_SETTING, "no port.", "set it."),)), "no port."),
        (lambda: Failure("no port"), "AttributeError"),
        (lambda: Failure(None), "TypeError"),
    ],
    ids=["raises", "exits", "fails", "fails with a text", "fails with nothing"],
)
def test_a_plugin_that_cannot_be_configured_fails_alone_and_adds_nothing(
    configure: Callable[[], Any], reason: str
) -> None:
    """Whatever configure does or answers, what it had added is dropped as a whole and others are active."""

    class Bad(Plugin):
        name = "bad"

        def configure(self, builder: PluginBuilder, /) -> Any:
            builder.register(int, 5)
            return configure()

    bad, good = gather((Bad(), Plugin()), {})

    assert (bad.state, bad.builder) == ("failed", None)
    assert reason in bad.reason
    assert bad.problem is not None
    assert bad.problem.stage == "configure"
    assert (good.state, good.name) == ("active", "Plugin")


def test_a_settings_class_that_is_none_fails_its_plugin() -> None:
    """A `settings` that is no attrs class is that plugin's failure."""

    class Bad(Plugin):
        name = "bad"
        settings = int  # type: ignore[assignment]  # the wrong type is the point

    (plugin,) = gather((Bad(),), {})

    assert "NotAnAttrsClassError" in plugin.reason


@pytest.mark.parametrize("given", [Plugin, "openobserve", None, 5], ids=repr)
def test_what_is_given_as_a_plugin_has_to_be_one(given: Any) -> None:
    """A class instead of an instance, a name or anything else is a failed plugin that says what it is."""
    (plugin,) = gather((given,), {})

    assert plugin.state == "failed"
    assert "not a cqrs Plugin" in plugin.reason
    assert plugin.problem is not None
    assert "derive from cqrs.plugins.Plugin" in plugin.problem.hint


def test_a_plugin_may_stand_down() -> None:
    """A plugin that sees nothing to do is off, with its reason, and adds nothing."""

    class Modest(Plugin):
        name = "modest"

        def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
            builder.stand_down("no terminal")
            return Success(None)

    (plugin,) = gather((Modest(),), {})

    assert (plugin.state, plugin.reason, plugin.builder) == ("off", "no terminal", None)


def test_a_foreign_owner_of_the_package_is_told() -> None:
    """Another distribution that installs `cqrs` is a problem naming both; our own, however spelt, is not."""
    (problem,) = foreign_owners({"cqrs": ["returns-cqrs", "Returns_CQRS", "python-cqrs", "python-cqrs"]})

    assert problem.code is Code.FOREIGN_PACKAGE
    assert "returns-cqrs and python-cqrs both install the import package 'cqrs'" in problem.text
    assert "pip uninstall python-cqrs" in problem.fix
    assert foreign_owners({"cqrs": ["returns-cqrs"], "other": ["python-cqrs"]}) == ()
    assert foreign_owners({}) == ()


def test_a_foreign_owner_is_found_among_what_is_installed(
    install: Install, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A distribution whose list of files has cqrs/__init__.py is found on sys.path; one with such a folder deeper is not."""
    from cqrs import plugin_discovery

    install("python-cqrs")
    install("harmless")
    files = {"python_cqrs": "cqrs/__init__.py,,\ncqrs/x.py,,\n", "harmless": "other/cqrs/__init__.py,,\n"}
    for name, record in files.items():
        (site / f"{name}-1.0.dist-info" / "RECORD").write_text(record)
    monkeypatch.setattr(sys, "path", [str(site)])
    plugin_discovery._installed_owners.cache_clear()
    try:
        problems = foreign_owners()
    finally:
        plugin_discovery._installed_owners.cache_clear()

    assert ["python-cqrs" in problem.text for problem in problems] == [True]
