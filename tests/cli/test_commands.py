import json
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
    assert (
        "warning: CQRS-013 plugin bad (shop-bad 1.0) failed to load: bad:Bad: SystemExit: 3. Fix: "
        in run.stderr
    )
    assert no_traceback(run)


def test_the_version_is_printed(cqrs: Any) -> None:
    """`cqrs --version` is the distribution's."""
    import importlib.metadata

    assert importlib.metadata.version("returns-cqrs") in cqrs("--version").stdout


@pytest.mark.parametrize("command", ["check", "handlers", "plugins", "config"])
def test_every_command_takes_the_app_in_three_ways(command: str, cqrs: Any) -> None:
    """As its argument, as `--app` and as CQRS_APP it is the same app; the argument wins over the variable."""
    by_argument = cqrs(command, "shop:app", CQRS_APP="nowhere:app")
    by_option = cqrs(command, "--app", "shop:app")
    by_variable = cqrs(command, CQRS_APP="shop:app")

    assert by_argument.returncode == 0
    assert by_argument.stdout != ""
    assert by_option.stdout == by_argument.stdout
    assert by_variable.returncode == 0
    if command != "config":  # which shows the variable itself
        assert by_variable.stdout == by_argument.stdout


@pytest.mark.parametrize("command", ["check", "handlers", "plugins", "config"])
def test_an_unknown_flag_and_an_app_named_twice_are_refused(command: str, cqrs: Any) -> None:
    """A flag that is misspelt is not ignored, and two different apps are not guessed at: exit 2."""
    misspelt, twice = cqrs(command, "shop:app", "--jsno"), cqrs(command, "shop:app", "--app", "shop:bad_app")

    assert (misspelt.returncode, twice.returncode) == (2, 2)
    assert "No such option '--jsno'" in misspelt.stderr
    assert "APP is named twice: shop:app and --app shop:bad_app." in twice.stderr


@pytest.mark.parametrize(("command", "form"), [("check", "yaml"), ("handlers", "github")])
def test_an_unknown_format_is_refused(command: str, form: str, cqrs: Any) -> None:
    """A format that a command does not have is a usage error that lists those it has."""
    run = cqrs(command, "shop:app", "--format", form)

    assert run.returncode == 2
    assert "'text', 'json'" in run.stderr


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_an_app_that_cannot_be_found_is_told_in_each_format(form: str, cqrs: Any) -> None:
    """Exit 1 with what was looked for; JSON stays JSON."""
    run = cqrs("check", "nowhere:app", "--format", form)

    assert run.returncode == 1
    told = {"text": run.stderr, "github": run.stdout}
    error = json.loads(run.stdout)["error"] if form == "json" else told[form]
    assert "cannot import 'nowhere'" in error
    assert (form == "github") is error.startswith("::error title=nowhere%3Aapp::nowhere:app: cannot import")


def test_handlers_are_given_to_programs_and_as_a_picture(cqrs: Any) -> None:
    """`cqrs handlers` prints JSON and Mermaid."""
    listed = json.loads(cqrs("handlers", "shop:app", "--format", "json").stdout)
    drawn = cqrs("handlers", "shop:app", "--format", "mermaid").stdout

    assert [handler["messages"] for handler in listed] == [["Place"]]
    assert drawn.startswith("flowchart LR\n")
    assert 'c0["Place"]' in drawn


def test_settings_and_plugins_of_an_app_are_its_own(cqrs: Any, project: Any) -> None:
    """With an app, its own plugins, environment and given values are shown, as text and as JSON, masked."""
    (project / "given.py").write_text(
        f"{CONFIGURED}\nfrom cqrs import CqrsModule\n"
        "class Given(Configured):\n    given = {'stream': 'mine'}\n"
        f"env = {{'SHOP_URL': 'http://o2', 'SHOP_TOKEN': '{CANARY}', 'CQRS_PLUGINS': 'x'}}\n"
        "app = CqrsModule.for_root(plugins=[Given()], env=env)\n"
    )

    text, plugins, as_json = (
        cqrs("config", "given"),
        cqrs("plugins", "given", "--json"),
        cqrs("config", "given", "--json"),
    )

    assert "  CQRS_PLUGINS=x  (CQRS_PLUGINS)" in text.stdout
    assert "  SHOP_STREAM=mine  (given)" in text.stdout
    assert "  SHOP_TOKEN=********  (SHOP_TOKEN)" in text.stdout
    assert json.loads(plugins.stdout) == [
        {"name": "configured", "distribution": None, "state": "active", "reason": None}
    ]
    core, configured = json.loads(as_json.stdout)
    assert core["name"] == "core"
    assert {"variable": "SHOP_STREAM", "value": "mine", "source": "given"} in configured["settings"]
    assert CANARY not in text.stdout + plugins.stdout + as_json.stdout


def test_a_message_that_can_be_changed_is_a_warning(cqrs: Any, project: Any) -> None:
    """The check passes, and names the class with its place and the fix."""
    (project / "open.py").write_text(
        "import attrs\nfrom returns.result import Result, Success\nfrom cqrs import Command, CqrsModule, Feature\n"
        "@attrs.define\nclass Place(Command[int, str]):\n    sku: str\n"
        "orders = Feature('orders')\n@orders.handles(Place)\n"
        "async def place(command: Place) -> Result[int, str]: return Success(1)\n"
        "app = CqrsModule.for_root(orders, plugins=(), env={})\n"
    )

    run, github = cqrs("check", "open"), cqrs("check", "open", "--format", "github")

    assert run.returncode == 0
    assert run.stderr.startswith("warning: open.py:4: CQRS-018 open.Place can be changed after it was made")
    assert github.stdout.startswith("::warning file=open.py,line=4,title=CQRS-018::")
