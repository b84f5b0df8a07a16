"""The generated pages are as the code is, and every setting stands in one of them."""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import attrs
import cqrs_openobserve
import cqrs_swr
import pytest
from click.testing import CliRunner

from cqrs.cli.commands import cqrs as cqrs_command
from cqrs.problems import Code
from cqrs.setting_parsers import integer, text
from cqrs.settings import Variable, variables

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs/reference/configuration.md"


def load_generator() -> ModuleType:
    """Import the script by its path: it belongs to no package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_generator()

ROWS = [row for rows in generate.SECTIONS.values() for row in rows]

# A variable of ours where code reads it by name.
NAME = re.compile(r'"((?:CQRS|OPENOBSERVE|OTEL)_[A-Z0-9_]+)"')


def test_every_page_is_up_to_date() -> None:
    """`python docs/generate.py --check` finds nothing to write."""
    checked = run_generator(ROOT / "docs/generate.py", "--check")

    assert (checked.returncode, checked.stdout) == (0, "")


def test_a_page_that_is_out_of_date_is_named(tmp_path: Path) -> None:
    """A missing and a changed page make the check fail, each by its path, and nothing is written."""
    script = copy_of_docs(tmp_path)
    script.with_name("reference").joinpath("configuration.md").write_text("old")
    script.with_name("reference").joinpath("errors/index.md").unlink()

    checked = run_generator(script, "--check")

    assert checked.returncode == 1
    assert [line.split(":")[0] for line in checked.stdout.splitlines()] == [
        "docs/reference/configuration.md",
        "docs/reference/errors/index.md",
    ]
    assert script.with_name("reference").joinpath("configuration.md").read_text() == "old"


def test_writing_mends_what_the_check_finds(tmp_path: Path) -> None:
    """One command brings the pages up to date."""
    script = copy_of_docs(tmp_path)
    script.with_name("reference").joinpath("configuration.md").write_text("old")

    run_generator(script)

    assert run_generator(script, "--check").returncode == 0


@pytest.mark.parametrize(("variable", "default"), ROWS, ids=[variable.name for variable, _ in ROWS])
def test_the_example_of_a_setting_is_accepted(variable: Variable, default: object) -> None:
    """What the table shows works when it is copied."""
    del default

    variable.parser.parse(variable.example)


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    """The table's variables and aliases are those of the settings classes and of the core, each once."""
    declared = [name for variable in declared_variables() for name in (variable.name, *variable.aliases)]
    core = [variable.name for variable, _ in generate.CORE]

    assert sorted(documented()) == sorted(declared + core)


def test_every_variable_that_the_core_reads_is_documented() -> None:
    """The core declares no settings class: its variables are those that its code names."""
    read = {name for path in (ROOT / "cqrs").rglob("*.py") for name in NAME.findall(path.read_text())}

    assert {variable.name for variable, _ in generate.CORE} == read


def test_every_variable_that_a_plugin_names_is_documented() -> None:
    """No plugin reads a variable past its settings."""
    sources = ROOT.glob("plugins/*/cqrs_*/**/*.py")
    named = {name for path in sources for name in NAME.findall(path.read_text())}

    assert named <= set(documented())


def test_every_problem_stands_in_the_index() -> None:
    """One row per code, in order."""
    index = (ROOT / "docs/reference/errors/index.md").read_text()

    assert re.findall(r"^\| \[(.*?)\]", index, re.MULTILINE) == sorted(Code)


def test_the_example_stands_as_a_picture() -> None:
    """The page has what `cqrs handlers --format mermaid` prints for the example: every message, and what leads to what."""
    page = (ROOT / "docs/explanation/example.md").read_text()
    printed = CliRunner().invoke(
        cqrs_command,
        ["handlers", "examples.orders.app:app", "--format", "mermaid"],
        env={"CQRS_PLUGINS": "none"},
    )

    assert f"```mermaid\n{printed.output}```\n" in page
    assert 'h0("place_order")' in page
    assert "h0 -.-> e5" in page


# --- how a row is written ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        (attrs.NOTHING, "**required**"),
        (None, "not set"),
        ("", "not set"),
        (attrs.Factory(dict), "not set"),
        (True, "`true`"),
        (0, "`0`"),
        ("INFO", "`INFO`"),
    ],
)
def test_a_default_is_shown_as_it_would_be_set(default: object, shown: str) -> None:
    """A reader can copy it; what is required or empty is said in words."""
    variable = Variable("SHOP_PORT", integer(0, 9), "The port.", "8", ("PORT",))

    page = generate.configuration({"Shop": [(variable, default)]})

    assert f"\n| `SHOP_PORT` | `PORT` | {shown} | integer 0 to 9 | The port. | `8` |\n" in page


def test_a_bar_in_a_text_does_not_end_its_cell() -> None:
    """A table row keeps its number of columns."""
    variable = Variable("SHOP_MODE", text(), "a|b.", "a|b")

    page = generate.configuration({"Shop": [(variable, "")]})

    assert "| a\\|b. | `a\\|b` |\n" in page


def test_a_code_without_a_page_is_shown_in_the_index() -> None:
    """Who adds a code sees in the table what is missing."""
    assert "| CQRS-999 | (has no page) | |\n" in generate.errors(["CQRS-999"])


# --- what is there -----------------------------------------------------------------------------------


def documented() -> list[str]:
    """Every variable and alias in the first two columns of the page's tables."""
    rows = re.findall(r"^\| (`[A-Z0-9_]+`) \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    return [name for row in rows for cell in row for name in re.findall(r"`(.+?)`", cell)]


def declared_variables() -> Iterator[Variable]:
    """The variables of every settings class, wherever in a plugin it stands."""
    found = {cls for module in modules() for _, cls in inspect.getmembers(module, inspect.isclass)}
    ours = [c for c in found if attrs.has(c) and c.__module__.startswith(("cqrs_openobserve", "cqrs_swr"))]
    for cls in ours:
        # A class that another one extends has nothing of its own.
        if sum(cls in other.__mro__ for other in ours) == 1:
            yield from (variable for variable, _ in variables(cls))


def modules() -> Iterator[ModuleType]:
    for package in (cqrs_openobserve, cqrs_swr):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                yield importlib.import_module(module.name)


def test_the_page_of_faults_has_every_group() -> None:
    """The rows of messages, plugins and settings of an app stand there too, each without its own number twice."""
    page = generate.DOCS.joinpath("explanation/faults.md").read_text()

    assert re.findall(r"^## ([A-Z])\. ", page, re.MULTILINE) == list("ABCDEFGH")
    for row, claim in (("D22", "A subclass needs"), ("E1", "The app starts"), ("F11", "The plugin is off")):
        assert re.search(rf"^\| {row} \| [^|]+ \| {claim}", page, re.MULTILINE)


def copy_of_docs(folder: Path) -> Path:
    """The script and what it reads and writes, in a folder of their own."""
    docs = folder / "docs"
    for path in (ROOT / "docs").rglob("*"):
        if path.suffix in {".md", ".py"}:
            target = docs / path.relative_to(ROOT / "docs")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    for faults in ("tests/faults", "plugins/openobserve/tests/faults", "plugins/swr/tests/faults"):
        shutil.copytree(ROOT / faults, folder / faults)  # the page of faults is read from their tests
    return docs / "generate.py"


def run_generator(script: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", str(script), *arguments], capture_output=True, text=True, check=False
    )
