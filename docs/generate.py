"""Write the pages that say what the code says: `python docs/generate.py`; `--check` only tells which are out of date."""  # noqa: INP001 - a script, run by its path

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import click
from cqrs_openobserve.alert_settings import AlertSettings
from cqrs_openobserve.settings import Settings as OpenObserveSettings
from cqrs_openobserve.testing import EXPORTER_LAWS, RUNNING_LAWS, TRANSPARENCY_LAWS
from cqrs_openobserve.thresholds import Threshold
from cqrs_swr.settings import Settings as SwrSettings

from cqrs import CqrsApp, testing
from cqrs.cli.commands import cqrs
from cqrs.core_variables import CORE_VARIABLES
from cqrs.mermaid import handlers_mermaid
from cqrs.problems import Code
from cqrs.settings import Variable, variables
from examples.orders.app import build

DOCS: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))
import telemetry_page  # noqa: E402 - beside this script, wherever that is loaded from
from fault_rows import faults  # noqa: E402 - beside this script, too

COMMAND: Final = "python docs/generate.py"
NOTE: Final = f"<!-- Written by `{COMMAND}`: change what it reads, not this page. -->\n\n"

Row = tuple[Variable, object]

CORE: Final[tuple[Row, ...]] = tuple((variable, "") for variable in CORE_VARIABLES)

SECTIONS: Final[Mapping[str, tuple[Row, ...]]] = {
    "The core": CORE,
    "The OpenObserve plugin": tuple(
        row for row in variables(OpenObserveSettings) if row not in variables(AlertSettings)
    ),
    "What cqrs openobserve init makes": variables(AlertSettings),
    "The query cache plugin": variables(SwrSettings),
}

SUITES: Final[Mapping[str, Sequence[testing.Law[Any]]]] = {
    "HANDLER_LAWS, about a HandlerSubject": testing.HANDLER_LAWS,
    "MIDDLEWARE_LAWS, about a MiddlewareSubject": testing.MIDDLEWARE_LAWS,
    "BUS_LAWS, about a BusSubject": testing.BUS_LAWS,
    "RETRY_LAWS, about a RetrySubject": testing.RETRY_LAWS,
    "DEAD_LETTER_LAWS, about a DeadLetterSubject": testing.DEAD_LETTER_LAWS,
    "PLUGIN_LAWS, about a PluginSubject": testing.PLUGIN_LAWS,
    "SETTINGS_LAWS, about a SettingsSubject": testing.SETTINGS_LAWS,
    "EXPORTER_LAWS of cqrs_openobserve.testing, about an ExporterSubject": EXPORTER_LAWS,
    "RUNNING_LAWS of cqrs_openobserve.testing, about a RunningSubject": RUNNING_LAWS,
    "TRANSPARENCY_LAWS of cqrs_openobserve.testing, about a TransparencySubject": TRANSPARENCY_LAWS,
}

LAWS: Final = """# Laws

The suites of `cqrs.testing`, and those of plugins. `laws_for("TestIt", SUITE, subject=...)` makes a test class with one
test for each law; [Test with laws](../how-to/test-with-laws.md) shows how. Each law finds at least one of the wrong
implementations in `property_tests/mutants`; `./dev mutants` prints which.
"""

CONFIGURATION: Final = """# Configuration

Everything is set by environment variables, read once when the app starts. A variable that is blank counts as not set. If
a variable is not set, its aliases are read, in the order given. What is wrong or missing is reported all at once, each
variable by its name ([CQRS-020](errors/CQRS-020.md), [CQRS-021](errors/CQRS-021.md)); a secret is never shown.

`cqrs config` prints what every setting of the installed plugins is and where it comes from. In code,
`CqrsModule.for_root(..., env={...})` replaces the process's environment, and `plugins=[...]` the installed plugins: then
`CQRS_PLUGINS` and `CQRS_PLUGINS_DISABLED` are not read.

| kind | what is accepted |
|---|---|
| integer, number | ASCII digits, within the limits; a number may have a fraction |
| milliseconds | a number of milliseconds, or a number with `ms`, `s`, `m` or `h`: `250`, `250ms`, `5s`, `2m` |
| boolean | `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`, in any case |
| `A / B / C` | one of the words, in any case |
| secret | a text that is shown nowhere |
"""

EXAMPLE: Final = """# The example as a picture

The order service of `examples/orders`, as `cqrs handlers examples.orders.app:app --format mermaid` draws it. A solid line
leads from a message to who answers or hears it; a dotted one from a handler to an event that its code names, which is
what it may publish.

```mermaid
"""

COMMANDS: Final = """# Commands

`pip install 'returns-cqrs[cli]'` brings the command `cqrs`. APP is `package.module:app`: as argument, as `--app`, or in
the variable `CQRS_APP`. An unknown option is refused. Exit codes: 0, all is well; 1, something is wrong with the app or a
plugin; 2, the command was called wrongly. Installed plugins add groups of their own, such as `cqrs openobserve`.
"""

ERRORS: Final = """# Problems by code

A problem is something that keeps an app from starting, or a plugin from running, or that `cqrs check` warns of. Each names its place, its code, what is
wrong and what to do. One `CompositionError` lists every problem of an app; `cqrs check package.module:app` lists those
that can be found without starting it.

| code | problem | what it means |
|---|---|---|
"""


def main() -> int:
    """Write the pages, or check them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a page is out of date"
    )
    check = bool(arguments.parse_args().check)
    stale = {path: page for path, page in pages().items() if not path.is_file() or path.read_text() != page}
    for path, page in stale.items():
        if not check:
            path.write_text(page)
        state = f"out of date; to mend it: {COMMAND}" if check else "written"
        sys.stdout.write(f"{path.relative_to(DOCS.parent)}: {state}\n")
    return int(check and bool(stale))


def pages() -> dict[Path, str]:
    """Every generated page, by its path."""
    return {
        DOCS / "reference/configuration.md": configuration(SECTIONS),
        DOCS / "reference/errors/index.md": errors(Code),
        DOCS / "reference/commands.md": commands(cqrs),
        DOCS / "reference/telemetry.md": NOTE + telemetry_page.page(),
        DOCS / "explanation/faults.md": faults(
            NOTE,
            DOCS.parent / "tests/faults",
            DOCS.parent / "plugins/openobserve/tests/faults",
            DOCS.parent / "plugins/swr/tests/faults",
        ),
        DOCS / "reference/laws.md": laws(SUITES),
        DOCS / "explanation/example.md": example(build(env={"CQRS_PLUGINS": "none"})),
    }


def configuration(sections: Mapping[str, Iterable[Row]]) -> str:
    """The page of settings.

    Args:
        sections: variables with their defaults, by heading.
    """
    tables = (f"\n## {heading}\n\n{_table(rows)}" for heading, rows in sections.items())
    return NOTE + CONFIGURATION + "".join(tables)


def laws(suites: Mapping[str, Iterable[testing.Law[Any]]]) -> str:
    """The page of laws.

    Args:
        suites: the laws by heading.
    """
    head = "| law | what holds |\n|---|---|\n"
    tables = (
        f"\n## {heading}\n\n{head}" + "".join(f"| `{law.name}` | {_cell(law.claim)} |\n" for law in suite)
        for heading, suite in suites.items()
    )
    return NOTE + LAWS + "".join(tables)


def errors(codes: Iterable[str]) -> str:
    """The table of problems; a code's page gives its title and, in its first paragraph, what it means.

    Args:
        codes: the codes.
    """
    return NOTE + ERRORS + "".join(_problem(code) for code in sorted(codes))


def example(app: CqrsApp) -> str:
    """The page with the picture of an app.

    Args:
        app: one that has no problems.
    """
    return f"{NOTE}{EXAMPLE}{handlers_mermaid(app.check().unwrap())}\n```\n"


def commands(group: click.Group) -> str:
    """The page of commands: what each says of itself with `--help`.

    Args:
        group: the core's commands; those that plugins add are left out.
    """
    return NOTE + COMMANDS + "".join(_help(name, command) for name, command in sorted(group.commands.items()))


def _help(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"cqrs {name}", max_content_width=100, terminal_width=100)
    return f"\n## cqrs {name}\n\n```text\n{command.get_help(context)}\n```\n"


def _table(rows: Iterable[Row]) -> str:
    head = "| variable | aliases | default | kind | what it does | example |\n|---|---|---|---|---|---|\n"
    return head + "".join(_setting(variable, default) for variable, default in rows)


def _setting(variable: Variable, default: object) -> str:
    aliases = ", ".join(f"`{alias}`" for alias in variable.aliases)
    cells = (f"`{variable.name}`", aliases, _default(default), variable.parser.kind, variable.doc)
    return f"| {' | '.join(_cell(cell) for cell in cells)} | `{_cell(variable.example)}` |\n"


def _default(default: object) -> str:
    if default is attrs.NOTHING:
        return "**required**"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, Threshold):
        return f"`{default}`"
    # Nothing, an empty text, or an empty collection that each instance makes for itself.
    return f"`{default}`" if isinstance(default, int | float | str) and default != "" else "not set"


def _cell(written: str) -> str:
    return written.replace("|", "\\|")


def _problem(code: str) -> str:
    page = DOCS / f"reference/errors/{code}.md"
    if not page.is_file():
        return f"| {code} | (has no page) | |\n"
    title, meaning = page.read_text().split("\n\n")[:2]
    _, _, name = title.partition(": ")
    return f"| [{code}]({code}.md) | {name} | {' '.join(meaning.split())} |\n"


if __name__ == "__main__":
    sys.exit(main())
