"""Group F, rows 11 to 15: what settings an app is given. Real programs with a real distribution."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ANSWER = "<Success: 4711>"
CANARY = "canary-51d0"

SETTINGS = """
import attrs
from cqrs.settings import integer, secret, setting, text
@attrs.frozen
class Settings:
    url: str = setting("SHOP_URL", text(), doc="where it is.", example="http://o2")
    token: object = setting("SHOP_TOKEN", secret(), doc="what opens it.", example="t")
    batch: int = setting("SHOP_BATCH", integer(1, 100), doc="how many.", example="50", default=10)
"""

BODY = """
settings = Settings
def configure(self, builder):
    loaded = builder.load(Settings)
    if isinstance(loaded, Failure):
        return loaded
    self.loaded = loaded.unwrap()
    return Success(None)
def health(self):
    return Success(str(self.loaded.batch))
"""


@pytest.fixture
def shop(plugin: Callable[..., None]) -> None:
    """A plugin with two required settings and one that has a default."""
    plugin("shop", BODY, before=SETTINGS)


@pytest.mark.usefixtures("shop")
def test_f11_nothing_is_set(run_app: Any) -> None:
    """F11: the plugin is off, which is one line at INFO, and the app runs."""
    ran = run_app()

    assert (ran.told["answer"], ran.state("shop")) == (ANSWER, "off")
    assert ran.logged("shop") == ["INFO plugin shop is off: none of its required settings is set."]


@pytest.mark.usefixtures("shop")
def test_f12_some_of_it_is_set(run_app: Any) -> None:
    """F12: the plugin is failed, with every variable that is missing or wrong in one line; the app runs."""
    ran = run_app(SHOP_TOKEN=CANARY, SHOP_BATCH="many")

    assert (ran.told["answer"], ran.state("shop")) == (ANSWER, "failed")
    (line,) = ran.logged("plugin shop")
    assert line.startswith("ERROR plugin shop (shop-shop 1.0) failed to configure: SHOP_URL is not set")
    assert "SHOP_BATCH='many' is not a whole number from 1 to 100" in line
    assert "SHOP_TOKEN" not in line
    assert CANARY not in ran.output


@pytest.mark.usefixtures("shop")
def test_f13_the_environment_changes_while_the_app_runs(run_app: Any) -> None:
    """F13: settings are a snapshot of the start; what is set later counts at the next start."""
    change = "import os\nasync def settle(app):\n    os.environ['SHOP_BATCH'] = '99'\n"

    ran = run_app(change, SHOP_URL="http://o2", SHOP_TOKEN="t", SHOP_BATCH="7")

    assert ran.told["health"]["shop"] == [True, "7"]


@pytest.mark.parametrize("raw", ["7\r\n", "\t7 ", "7\n"], ids=["CRLF", "tab", "LF"])
@pytest.mark.usefixtures("shop")
def test_f13_a_value_with_the_line_break_of_its_file(raw: str, run_app: Any) -> None:
    """F13: white space around a value, as tools that read files of variables leave it, does not count."""
    ran = run_app(SHOP_URL="http://o2", SHOP_TOKEN="t", SHOP_BATCH=raw)

    assert ran.told["health"]["shop"] == [True, "7"]


@pytest.mark.usefixtures("shop")
def test_f13_a_byte_order_mark_is_told(run_app: Any) -> None:
    """F13: a byte order mark before a value is no digit: the variable is named, with the mark made visible."""
    ran = run_app(SHOP_URL="http://o2", SHOP_TOKEN="t", SHOP_BATCH="\ufeff7")

    assert ran.state("shop") == "failed"
    assert r"SHOP_BATCH='\ufeff7' is not a whole number" in ran.reason("shop")


@pytest.mark.usefixtures("shop")
def test_f14_a_value_in_code_and_one_in_the_environment(run_app: Any, site: Path, tmp_path: Path) -> None:
    """F14: what is given in code wins, and the report says of each value where it came from."""
    given = "import shop_shop\nclass Given(shop_shop.Made):\n    given = {'batch': 42}\n"
    env = {"SHOP_URL": "http://o2", "SHOP_TOKEN": CANARY, "SHOP_BATCH": "7"}

    ran = run_app(given, options=", plugins=[Given()]", **env)

    assert ran.told["health"]["shop"] == [True, "42"]
    report = (
        "import json\nfrom cqrs import CqrsModule\n"
        f"{given}app = CqrsModule.for_root(plugins=[Given()])\n"
        "print(json.dumps([[[s.variable, s.value, s.source] for s in p.settings] for p in app.configuration()][1]))\n"
    )
    reported = subprocess.run(
        [sys.executable, "-P", "-c", report],
        env={"PYTHONPATH": str(site), "HOME": str(tmp_path), **env},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(reported.stdout) == [
        ["SHOP_URL", "http://o2", "SHOP_URL"],
        ["SHOP_TOKEN", "********", "SHOP_TOKEN"],
        ["SHOP_BATCH", "42", "given"],
    ]


@pytest.mark.parametrize("value", ["None", "b'7'", "[7]", "{'a': 7}", "object()"])
@pytest.mark.parametrize("where", ["given", "env"])
@pytest.mark.usefixtures("shop")
def test_f15_a_value_that_is_no_text(value: str, where: str, run_app: Any) -> None:
    """F15: from a dictionary, as environment or given in code: a problem that names it, no traceback, the app runs."""
    good = {"SHOP_URL": "http://o2", "SHOP_TOKEN": "t"}
    if where == "given":
        given = f"import shop_shop\nclass Given(shop_shop.Made):\n    given = {{'batch': {value}}}\n"
        ran = run_app(given, options=", plugins=[Given()]", **good)
    else:
        ran = run_app(options=f", env={{**{good!r}, 'SHOP_BATCH': {value}}}")

    assert ran.told["answer"] == ANSWER
    assert "Traceback" not in ran.output
    if value == "None" and where == "env":
        assert ran.told["health"]["shop"] == [True, "10"]  # nothing there is not set
    else:
        kind = type(eval(value)).__name__
        assert ran.state("shop") == "failed"
        assert f"is a {kind}, not a text" in ran.reason("shop")
