"""The budgets of the code: sizes, `Any`, ignores, a test file for each module, a docstring for each promise.

An exception is listed by name in an allow-list and has to be needed: the lists can only shrink.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent

MOST_FILE_LINES = 300
MOST_FUNCTION_LINES = 45
USUAL_FUNCTION_LINES = 20
USUAL_SHARE = 0.9
MOST_ANY_PER_1000 = 5
MOST_IGNORES_PER_1000 = 3

# Where message types meet: a dispatch table holds handlers of every type.
ANY_IS_AT_HOME = {
    "messages",
    "declarations",
    "registry",
    "container",
    "pipeline",
    "dispatch",
    "observed_dispatch",
    "subscribers",
    "features",
    "settings",
    "setting_parsers",
    "encoding",
}

ALLOWED_LONG_FILES: set[str] = set()
ALLOWED_LONG_FUNCTIONS: set[str] = set()
ALLOWED_ANY: set[str] = set()
ALLOWED_WITHOUT_TEST_FILE: set[str] = set()


class Package(NamedTuple):
    """Source files and the folder that mirrors them with tests."""

    source: str
    tests: str


PACKAGES = [
    Package("cqrs", "tests"),
    Package("plugins/openobserve/cqrs_openobserve", "plugins/openobserve/tests"),
    Package("plugins/local/cqrs_local", "plugins/local/tests"),
    Package("plugins/swr/cqrs_swr", "plugins/swr/tests"),
    Package("examples/orders", "examples/orders/tests"),
    Package("examples/plugin_audit", "examples/plugin_audit/tests"),
]
# The example is tested as a whole, as its users meet it.
MIRRORED = [package for package in PACKAGES if not package.source.startswith("examples")]

each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.source)
each_mirrored_package = pytest.mark.parametrize("package", MIRRORED, ids=lambda package: package.source)


@each_package
def test_no_file_is_longer_than_the_budget(package: Package) -> None:
    """A file has at most 300 lines."""
    found = {name for name, source in sources(package).items() if len(source.splitlines()) > MOST_FILE_LINES}

    assert_allowed(found, ALLOWED_LONG_FILES, package)


@each_package
def test_no_function_is_longer_than_the_budget(package: Package) -> None:
    """A function has at most 45 lines without its docstring."""
    found = {function for function, lines in function_lines(package).items() if lines > MOST_FUNCTION_LINES}

    assert_allowed(found, ALLOWED_LONG_FUNCTIONS, package)


@each_package
def test_most_functions_are_short(package: Package) -> None:
    """Nine functions of ten have at most 20 lines without their docstring."""
    lengths = function_lines(package)
    long = {name: lines for name, lines in lengths.items() if lines > USUAL_FUNCTION_LINES}

    assert len(long) <= (1 - USUAL_SHARE) * len(lengths) + 1e-9, long


@each_package
def test_any_is_rare(package: Package) -> None:
    """A package has at most 5 `Any` per 1,000 lines; the two of a `Coroutine` say nothing and do not count."""
    assert_rare(
        {name: any_count(source) for name, source in sources(package).items()}, MOST_ANY_PER_1000, package
    )


@each_package
def test_any_stays_where_message_types_meet(package: Package) -> None:
    """Other modules name the types they mean."""
    found = {
        name
        for name, source in sources(package).items()
        if any_count(source) and Path(name).stem not in ANY_IS_AT_HOME
    }

    assert_allowed(found, ALLOWED_ANY, package)


@each_package
def test_ignores_are_rare(package: Package) -> None:
    """A package tells a checker to look away at most 3 times per 1,000 lines."""
    assert_rare(
        {name: len(ignores(source)) for name, source in sources(package).items()},
        MOST_IGNORES_PER_1000,
        package,
    )


def test_every_ignore_names_its_rule_and_its_reason() -> None:
    """`# type: ignore[code]  # why`, `# noqa: CODE - why`: without both nobody can tell whether it is still needed."""
    files = [path for pattern in ("*.py", "*/**/*.py") for path in tracked(ROOT, pattern)]
    without = [
        f"{path.relative_to(ROOT)}: {comment}"
        for path in files
        for comment in ignores(path.read_text())
        if not has_code_and_reason(comment)
    ]

    assert without == []


@each_mirrored_package
def test_every_module_has_its_test_file(package: Package) -> None:
    """`x/foo.py` is tested by `tests/x/test_foo.py`: a reader knows where to look."""
    tests = ROOT / package.tests
    found = {
        name for name in sources(package) if needs_test_file(name) and not list(mirrors(tests, name, package))
    }

    assert_allowed(found, ALLOWED_WITHOUT_TEST_FILE, package)


@each_package
def test_everything_public_is_documented(package: Package) -> None:
    """A public module, class, function or method says what it does."""
    assert [found for name, source in sources(package).items() for found in undocumented(name, source)] == []


def test_every_test_states_its_claim() -> None:
    """A test's docstring says what holds if it passes."""
    files = [path for path in tracked(ROOT, "*/**/test_*.py") if "typing" not in path.parts]
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in files
        for node in functions(path.read_text())
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []


# --- each measure notices what it is there for ----------------------------------------------------


def test_function_lines_leave_the_docstring_out() -> None:
    """A long explanation is not a long function."""
    source = 'def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n    return a\n'

    assert dict(lines_of_functions("m", source)) == {"m:f": 3}


def test_any_count_leaves_coroutines_and_imports_out() -> None:
    """`Coroutine[Any, Any, X]` is how an async function is spelled."""
    source = (
        "from typing import Any\ndef f(a: Any) -> Coroutine[Any, Any, int]: ...\nx: dict[str, Any]  # Any\n"
    )

    assert any_count(source) == 2


def test_a_coroutine_of_any_counts_once() -> None:
    """The result of a coroutine is a type like another."""
    assert any_count("f: Callable[[], Coroutine[Any, Any, Any]]") == 1


@pytest.mark.parametrize(
    ("comment", "good"),
    [
        ("# type: ignore", False),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore[arg-type]  # punq has no types here", True),
        ("# noqa", False),
        ("# noqa: BLE001", False),
        ("# noqa: BLE001 - a plugin may raise anything", True),
        ("# noqa: S603, S607 - constants only", True),
        ("# pyright: ignore[reportPrivateUsage]", False),
        ("# pyright: ignore[reportPrivateUsage]  # the stub lacks it", True),
        ("# pragma: no cover", False),
    ],
)
def test_an_ignore_without_rule_or_reason_is_noticed(comment: str, good: bool) -> None:  # noqa: FBT001 - a table
    """Only an ignore with both passes."""
    source = f"x = 1  {comment}\n"

    assert ignores(source) == [comment]
    assert has_code_and_reason(comment) is good


def test_an_ignore_in_a_text_is_no_ignore() -> None:
    """Only comments count."""
    assert ignores('x = "# noqa"\n') == []


def test_undocumented_names_what_is_public() -> None:
    """A private name and a magic method may be silent, a public method may not."""
    source = '"""M."""\nclass A:\n    """A."""\n    def b(self): ...\n    def _c(self): ...\n    def __len__(self): ...\n'

    assert list(undocumented("m", source)) == ["m: A.b"]


def test_an_exception_that_is_not_needed_fails() -> None:
    """An allow-list can only shrink."""
    with pytest.raises(AssertionError, match="no longer needed"):
        assert_allowed(set(), {"cqrs/gone.py"}, PACKAGES[0])


def test_an_exception_that_is_not_listed_fails() -> None:
    """Nothing is excepted by accident."""
    with pytest.raises(AssertionError, match="over the budget"):
        assert_allowed({"cqrs/long.py"}, set(), PACKAGES[0])


# --- measures --------------------------------------------------------------------------------------


def assert_allowed(found: set[str], allowed: set[str], package: Package) -> None:
    """Compare what is over a budget with the exceptions of a package."""
    here = {name for name in allowed if name.startswith(package.source)}

    assert found <= here, f"over the budget: {sorted(found - here)}"
    assert here <= found, f"no longer needed in the allow-list: {sorted(here - found)}"


def assert_rare(counted: dict[str, int], most_per_1000: int, package: Package) -> None:
    """Compare a count over a whole package with its budget."""
    total, most = sum(counted.values()), int(most_per_1000 * thousands_of_lines(package))

    assert total <= most, (
        f"{total}, budget {most}: { {name: count for name, count in counted.items() if count} }"
    )


def tracked(root: Path, pattern: str) -> list[Path]:
    """Files of the repository, without environments and caches."""
    return sorted(path for path in root.glob(pattern) if not hidden(path.relative_to(root)))


def hidden(path: Path) -> bool:
    """Whether a path is in a folder that tools made."""
    return any(
        part.startswith(".") or part in {"build", "dist", "site", "__pycache__"} for part in path.parts
    )


def sources(package: Package) -> dict[str, str]:
    """The text of each file of a package, by its path from the root."""
    folder = ROOT / package.source
    files = [path for path in tracked(folder, "**/*.py") if "tests" not in path.relative_to(folder).parts]
    return {str(path.relative_to(ROOT)): path.read_text() for path in files}


def thousands_of_lines(package: Package) -> float:
    """Size of a package; a small one is measured as if it had 1,000 lines."""
    return max(1.0, sum(len(source.splitlines()) for source in sources(package).values()) / 1000)


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def function_lines(package: Package) -> dict[str, int]:
    """Length of every function of a package."""
    return dict(
        item for name, source in sources(package).items() for item in lines_of_functions(name, source)
    )


def lines_of_functions(name: str, source: str) -> Iterator[tuple[str, int]]:
    """Lines from `def` to the end, the docstring left out."""
    for node in functions(source):
        last = node.end_lineno or node.lineno
        documented = bool(ast.get_docstring(node))
        doc = (node.body[0].end_lineno or 0) - node.body[0].lineno + 1 if documented else 0
        yield f"{name}:{node.name}", last - node.lineno + 1 - doc


def any_count(source: str) -> int:
    """How often `Any` is used as a type."""
    uses = sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(ast.parse(source)))
    return uses - sum(free_any(node) for node in ast.walk(ast.parse(source)))


def free_any(node: ast.AST) -> int:
    """The `Any`s of a coroutine's send and yield types."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple)):
        return 0
    if ast.unparse(node.value).rpartition(".")[2] != "Coroutine":
        return 0
    return sum(isinstance(part, ast.Name) and part.id == "Any" for part in node.slice.elts[:2])


IGNORE = re.compile(r"#\s*(type:\s*ignore|pyright:|noqa|mypy:|ruff:|pragma:)")
JUSTIFIED = re.compile(
    r"#\s*(?:type: ignore\[[\w-]+(?:, *[\w-]+)*\]|pyright: ignore\[\w+(?:, *\w+)*\])\s+#\s*\w+"
    r"|#\s*noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*\s+[-#:(]*\s*\w+"
)


def ignores(source: str) -> list[str]:
    """Comments that tell a checker to look away."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT and IGNORE.match(token.string)]


def has_code_and_reason(comment: str) -> bool:
    """Whether an ignore names the rule and says why."""
    return bool(JUSTIFIED.match(comment))


def needs_test_file(name: str) -> bool:
    """A file with nothing but re-exports or a call of `main` has nothing to mirror."""
    return Path(name).name not in {"__init__.py", "__main__.py"}


def mirrors(tests: Path, name: str, package: Package) -> Iterator[Path]:
    """Test files of a module: `test_<module>.py`, or split by topic as `test_<module>_<topic>.py`."""
    inner = Path(name).relative_to(package.source)
    folder = tests / inner.parent
    for pattern in (f"test_{inner.stem}.py", f"test_{inner.stem}_*.py"):
        yield from folder.glob(pattern)


def undocumented(name: str, source: str) -> Iterator[str]:
    """Public definitions of a module without a docstring."""
    tree = ast.parse(source)
    if tree.body and not ast.get_docstring(tree):
        yield f"{name}: module"
    yield from silent_definitions(tree.body, f"{name}: ")


def silent_definitions(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    """Public classes, functions and methods without a docstring."""
    for node in body:
        if not isinstance(
            node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node) and not is_overload(node):
            yield f"{prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from silent_definitions(node.body, f"{prefix}{node.name}.")


def is_overload(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it repeats the signature of a function that is documented."""
    return any(ast.unparse(decorator).endswith("overload") for decorator in node.decorator_list)
