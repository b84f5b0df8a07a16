from collections.abc import Callable
from typing import Any

import pytest

Install = Callable[..., None]

CANARY = "canary-18ab"

CONFIGURED = """
import attrs
from cqrs.plugins import Plugin
from cqrs.settings import secret, setting, text

@attrs.frozen
class Settings:
    url: str = setting("SHOP_URL", text(), doc="where.", example="http://localhost")
    token: object = setting("SHOP_TOKEN", secret(), doc="what opens it.", example="t")
    stream: str = setting("SHOP_STREAM", text(), doc="which.", example="logs", default="default_logs")

class Configured(Plugin):
    name = "configured"
    settings = Settings
    def configure(self, builder):
        return builder.load(Settings).map(lambda settings: None)
"""


def no_traceback(run: Any) -> bool:
    return "Traceback" not in run.stdout + run.stderr


def test_a_sound_app_passes_the_check(cqrs: Any) -> None:
    """`cqrs check` of an app without problems says so and exits 0; CQRS_APP may name the app."""
    named, by_variable = cqrs("check", "shop:app"), cqrs("check", CQRS_APP="shop:app")

    assert (named.returncode, named.stderr) == (0, "")
    assert named.stdout == "shop:app: ok, 1 handler and subscribers, nothing is missing.\n"
    assert by_variable.stdout == named.stdout


def test_a_broken_app_fails_the_check_with_everything_that_is_wrong(cqrs: Any) -> None:
    """`cqrs check` exits 1 and lists each problem with file and line, code and fix, and no traceback."""
    run = cqrs("check", "shop:bad_app")

    assert run.returncode == 1
    lines = run.stderr.splitlines()
    assert lines[0] == "Error: 3 problems found while composing the app:"
    assert all(line.strip().startswith("shop.py:") and " Fix: " in line for line in lines[1:])
    assert [line.split()[1] for line in lines[1:]] == ["CQRS-001", "CQRS-003", "CQRS-002"]
    assert no_traceback(run)


def test_handlers_are_listed_with_their_pipelines(cqrs: Any) -> None:
    """`cqrs handlers` prints each handler with its place, and its pipeline below."""
    run = cqrs("handlers", "shop:app")

    assert run.returncode == 0
    assert run.stdout.splitlines()[0].startswith("command Place  →  shop.place  shop.py:")
    assert run.stdout.splitlines()[1].strip() == "guard > handler shop.place"


@pytest.mark.parametrize(
    ("source", "entry", "reason"),
    [
        ("import no_such_library", "bad = bad:Bad", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(3)", "bad = bad:Bad", "SystemExit: 3"),
        ("", "bad", "entry_points.txt is malformed"),
    ],
    ids=["import error", "exits", "malformed"],
)
def test_a_broken_plugin_is_named_with_distribution_and_reason(
    source: str, entry: str, reason: str, cqrs: Any, install: Install
) -> None:
    """`cqrs plugins` prints the plugin that cannot be used, its distribution and why, exits 1, and the app runs on."""
    install("shop-bad", f"[cqrs.plugins]\n{entry}\n", version="0.3", bad=source)

    listed = cqrs("plugins", CQRS_PLUGINS="bad")

    (line,) = [line for line in listed.stdout.splitlines() if "shop-bad" in line]
    assert listed.returncode == 1
    assert "failed" in line
    assert "shop-bad 0.3" in line
    assert reason in line
    assert no_traceback(listed)


def test_plugins_that_work_or_are_off_are_no_failure(cqrs: Any, install: Install) -> None:
    """`cqrs plugins` exits 0 if none is broken, and says why one is off."""
    install("shop-configured", "[cqrs.plugins]\nconfigured = configured:Configured\n", configured=CONFIGURED)

    off = cqrs("plugins", CQRS_PLUGINS="configured")
    on = cqrs("plugins", CQRS_PLUGINS="configured", SHOP_URL="http://o2", SHOP_TOKEN=CANARY)

    assert (off.returncode, on.returncode) == (0, 0)
    assert (
        "configured       off       shop-configured 1.0: none of its required settings is set" in off.stdout
    )
    assert "configured       active    shop-configured 1.0\n" in on.stdout


def test_the_settings_are_printed_with_their_sources_and_masked(cqrs: Any, install: Install) -> None:
    """`cqrs config` prints each value and where it came from; a secret is a mask in every stream."""
    install("shop-configured", "[cqrs.plugins]\nconfigured = configured:Configured\n", configured=CONFIGURED)

    run = cqrs("config", CQRS_PLUGINS="configured", SHOP_URL="http://o2", SHOP_TOKEN=CANARY)

    assert run.returncode == 0
    assert "  SHOP_URL=http://o2  (SHOP_URL)" in run.stdout
    assert "  SHOP_TOKEN=********  (SHOP_TOKEN)" in run.stdout
    assert "  SHOP_STREAM=default_logs  (default)" in run.stdout
    assert CANARY not in run.stdout + run.stderr


def test_wrong_settings_are_told_without_the_secret(cqrs: Any, install: Install) -> None:
    """A plugin that is partly or wrongly set says which variable, and never what the secret is."""
    install("shop-configured", "[cqrs.plugins]\nconfigured = configured:Configured\n", configured=CONFIGURED)

    run = cqrs("plugins", CQRS_PLUGINS="configured", SHOP_TOKEN=f"{CANARY}\n{CANARY}")

    assert run.returncode == 1
    assert "SHOP_URL is not set" in run.stdout
    assert "SHOP_TOKEN=********" in run.stdout
    assert CANARY not in run.stdout + run.stderr


def test_a_failed_plugin_is_a_warning_of_the_check(cqrs: Any, install: Install, project: Any) -> None:
    """An app with a broken plugin is sound; the check exits 0 and warns."""
    install("shop-bad", "[cqrs.plugins]\nbad = bad:Bad\n", bad="raise SystemExit(3)")
    (project / "auto.py").write_text("from cqrs import CqrsModule\napp = CqrsModule.for_root()\n")

    run = cqrs("check", "auto:app", CQRS_PLUGINS="bad")

    assert run.returncode == 0
    assert "warning: plugin bad does not run: bad:Bad: SystemExit: 3." in run.stderr
    assert no_traceback(run)


def test_the_version_is_printed(cqrs: Any) -> None:
    """`cqrs --version` is the distribution's."""
    import importlib.metadata

    assert importlib.metadata.version("returns-cqrs") in cqrs("--version").stdout
