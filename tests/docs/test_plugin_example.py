"""The plugin of the how-to is the one in `examples/plugin_audit`, word for word, and enters the core by its open doors."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples/plugin_audit"
PAGE = ROOT / "docs/how-to/write-a-plugin.md"

DOORS = {
    "cqrs", "cqrs.plugins", "cqrs.instrumentation", "cqrs.middleware", "cqrs.caching", "cqrs.context", "cqrs.settings",
    "cqrs.secret", "cqrs.clock", "cqrs.problems", "cqrs.dead_letter", "cqrs.testing", "cqrs.cli",
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "fence"),
    [
        ("cqrs_audit.py", "```python\n# cqrs_audit.py\n"),
        ("pyproject.toml", "```toml\n"),
        ("tests/test_cqrs_audit.py", "```python\n# test_cqrs_audit.py\n"),
    ],
)
def test_the_page_shows_the_files_of_the_example(file: str, fence: str) -> None:
    """Whoever copies the page has the package that is tested."""
    assert f"{fence}{(EXAMPLE / file).read_text()}```\n" in PAGE.read_text()


def test_the_example_imports_what_plugins_may_import() -> None:
    """What people copy keeps to the interface that is kept for them."""
    tree = ast.parse((EXAMPLE / "cqrs_audit.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name for name in imported if name and name.startswith("cqrs")} <= DOORS


def test_the_laws_take_fifteen_lines() -> None:
    """A whole test file of a user, imports included, proves a plugin and a handler by one line each."""
    lines = (EXAMPLE / "tests/test_cqrs_audit.py").read_text().splitlines()

    assert len(lines) <= 15
    assert [line.split(" = ")[0] for line in lines if "laws_for(" in line] == ["TestAudit", "TestEntries"]
