"""Runs a page: its blocks are, top to bottom, the program, the terminal and what they print.

| block | what happens |
|---|---|
| `python` | continues the file `shop.py` of the page's own folder; `# name.py` in its first line begins another file |
| `output` | has to be what the Python block above it printed |
| `console` | a `cqrs` command that is followed by output is run, and has to print that |
| `toml` with `[project]` | that distribution is installed, as far as importlib.metadata can tell |

`…` in an output stands for whatever is there. What a page does to the process ends with it, or is a failure.
"""

import contextlib
import io
import logging
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import attrs
import pytest
from click.testing import CliRunner
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser

from cqrs import plugin_discovery
from cqrs.cli.commands import cqrs

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("plugins/*/README.md"))]

OURS = re.compile(r"(CQRS|OPENOBSERVE|OTEL)_")
LOGGERS = (logging.getLogger(), logging.getLogger("cqrs"))
FILE_NAME = re.compile(r"# (\w+)\.py\n")


@attrs.define
class Printed:
    """What a Python block printed.

    Attributes:
        line: where the block begins in its page.
        source: the block.
        text: what it printed, and what the commands below it did.
    """

    line: int
    source: str
    text: str = ""


@attrs.define
class Folder:
    """A page's own folder, in which its blocks are files and commands."""

    path: Path
    module: str = "shop"
    lines: dict[str, int] = attrs.field(factory=dict)
    printed: list[Printed] = attrs.field(factory=list)

    def python(self, example: Example) -> None:
        """Continue the file, and run what was added."""
        source = str(example.parsed)
        if name := FILE_NAME.match(source):
            self.module = name[1]
        file = self.path / f"{self.module}.py"
        module = sys.modules.get(self.module)
        if module is None or module.__file__ != str(file):
            module = sys.modules[self.module] = ModuleType(self.module)
            module.__file__ = str(file)
        above = self.lines.get(self.module, 0)
        self.lines[self.module] = above + len(source.splitlines())
        with file.open("a") as program:
            program.write(source)
        self.printed.append(Printed(example.line, source))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile("\n" * above + source, str(file), "exec", dont_inherit=True), vars(module))
        self.printed[-1].text = out.getvalue()

    def output(self, example: Example) -> None:
        """Compare with what the block above printed."""
        assert_shown(str(example.parsed), self.printed[-1].text)

    def console(self, example: Example) -> None:
        """Run the commands that show an output."""
        for command, shown in shown_commands(str(example.parsed)):
            if shown and "cqrs" in command.split():
                printed = run_cqrs(command)
                assert_shown(shown, printed)
                if self.printed:
                    self.printed[-1].text += printed

    def toml(self, example: Example) -> None:
        """Install the distribution that the block describes."""
        project = tomllib.loads(str(example.parsed)).get("project")
        if project is None:
            return
        name, version = project["name"], project["version"]
        folder = self.path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        groups = project.get("entry-points", {}).items()
        (folder / "entry_points.txt").write_text(
            "".join(
                f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
                for group, entries in groups
            )
        )


def shown_commands(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a terminal session, each with the output that is shown below it."""
    command, shown = "", ""
    for line in [*block.splitlines(), "$ "]:
        if not line.startswith("$ "):
            shown += f"{line}\n"
            continue
        if command:
            yield command, shown
        command, shown = line.removeprefix("$ "), ""


def run_cqrs(command: str) -> str:
    """Run `VARIABLE=value cqrs …` in this process; what it wrote to either stream."""
    words = shlex.split(command)
    start = words.index("cqrs")
    env = dict(word.split("=", 1) for word in words[:start])
    result = CliRunner().invoke(cqrs, words[start + 1 :], env=env, prog_name="cqrs")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def assert_shown(shown: str, printed: str) -> None:
    """What a page shows is what was printed; `…` stands for anything within a line."""
    pattern = r"[^\n]*".join(re.escape(part) for part in shown.strip().split("…"))
    if not re.fullmatch(pattern, printed.strip()):
        assert printed.strip() == shown.strip()


@attrs.frozen
class State:
    """What a block must leave as it was.

    Attributes:
        directory: the current one.
        environment: its variables.
        path: `sys.path`.
        loggers: level and handlers of the root logger and of ours.
    """

    directory: Path = attrs.field(factory=Path.cwd)
    environment: dict[str, str] = attrs.field(factory=lambda: dict(os.environ))
    path: list[str] = attrs.field(factory=lambda: list(sys.path))
    loggers: list[tuple[int, list[logging.Handler]]] = attrs.field(
        factory=lambda: [(logger.level, list(logger.handlers)) for logger in LOGGERS]
    )

    def changed(self) -> list[str]:
        """What is different now."""
        was, now = attrs.asdict(self, recurse=False), attrs.asdict(State(), recurse=False)
        return [what for what in was if was[what] != now[what]]

    def put_back(self) -> None:
        """Make it so again."""
        os.chdir(self.directory)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.path[:] = self.path
        for logger, (level, handlers) in zip(LOGGERS, self.loggers, strict=True):
            logger.setLevel(level)
            logger.handlers[:] = handlers


@contextlib.contextmanager
def everything_put_back(folder: Path) -> Iterator[None]:
    """Run in a folder with no settings of ours; fail if something was changed, after putting it back."""
    before, modules = State(), dict(sys.modules)
    plugin_discovery._installed_owners.cache_clear()  # remembered once per process, and a page is one
    try:
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        for name in [name for name in os.environ if OURS.match(name)]:
            del os.environ[name]
        prepared = State()
        yield
        assert not (left := prepared.changed()), f"a block left changed: {', '.join(left)}"
    finally:
        before.put_back()
        plugin_discovery._installed_owners.cache_clear()
        sys.modules.update(modules)  # a page may have a file of the name of something imported before
        for name in set(sys.modules) - set(modules):
            if str(getattr(sys.modules[name], "__file__", None)).startswith(str(folder)):
                del sys.modules[name]


def run(page: Path, folder: Path) -> list[Printed]:
    """Run every block of a page in a folder; an error says where in the page it happened."""
    blocks = Folder(folder)
    parsers = [
        CodeBlockParser(language, getattr(blocks, language))
        for language in ("python", "output", "console", "toml")
    ]
    with everything_put_back(folder):
        for example in Document.parse(str(page), *parsers).examples():
            try:
                example.evaluate()
            except BaseException as error:
                error.add_note(f"{page}:{example.line}")
                raise
    return blocks.printed


@pytest.fixture
def run_page(tmp_path: Path) -> Callable[[Path], list[Printed]]:
    """Runs a page in a folder of its own and gives what each of its Python blocks printed."""
    folder = tmp_path / "page"
    folder.mkdir()
    return lambda page: run(page, folder)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes a `page` runs for each page."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
