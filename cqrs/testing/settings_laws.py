"""The laws of a settings class: what everybody who sets its variables relies on."""

import re
from collections.abc import Mapping
from typing import Final, final

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from returns.result import Failure, Result

from cqrs.problems import Code, Problem
from cqrs.settings import load, report, variables
from cqrs.testing.laws import Law, hold, law

CANARY: Final = "c4n4ry"
Env = Mapping[str, str]

# A parser of the user's own may show its values in a form for people.
_BUILT_IN: Final = re.compile(r"text|boolean|(integer|number|milliseconds) .*|\S+( / \S+)+")


@final
@attrs.frozen(eq=False)
class SettingsSubject:
    """A settings class, as its laws look at it.

    Attributes:
        cls: an attrs class whose fields were made by ``setting``.
        env: what has to be set for everything else to load, if the examples of the class do not do; for example where
            two settings have to fit one another.
    """

    cls: type[attrs.AttrsInstance]
    env: Env = attrs.field(factory=dict[str, str])

    @property
    def names(self) -> list[str]:
        """The class's variables."""
        return [variable.name for variable, _ in variables(self.cls)]

    def has_variables(self) -> bool:
        """Tell whether it has any variable."""
        return bool(self.names)

    def has_secret(self) -> bool:
        """Tell whether any of its variables holds a secret."""
        return any(variable.parser.secret for variable, _ in variables(self.cls))

    def working(self) -> dict[str, str]:
        """An environment in which the class loads: its examples, and what the subject says."""
        return {variable.name: variable.example for variable, _ in variables(self.cls)} | dict(self.env)


def texts() -> SearchStrategy[str]:
    """What people and machines put into variables: numbers, times, switches, rubbish."""
    return st.one_of(
        st.text(st.characters(), max_size=40),
        st.from_regex(r"[-+ 0-9.eE_]{1,20}(ms|s|m|h)?", fullmatch=True),
        st.sampled_from(
            ["", " ", "\0", "nan", "inf", "-0", "TRUE", "off", "maybe", "9" * 5000, "\ufeff1", "1\r\n"]
        ),
        st.integers(0, 10**6).map(str),
        st.booleans().map(str),
        st.floats().map(str),
    )


@st.composite
def _changed(draw: st.DrawFn, subject: SettingsSubject) -> dict[str, str]:
    # Mostly what works, with a few variables set to anything: drawn all at random, nothing would ever load.
    changed = draw(st.dictionaries(st.sampled_from(subject.names), texts(), max_size=3))
    unset = draw(st.sets(st.sampled_from(subject.names), max_size=3))
    return {name: text for name, text in (subject.working() | changed).items() if name not in unset}


def _env(subject: SettingsSubject) -> SearchStrategy[object]:
    return _changed(subject)


def _variable(subject: SettingsSubject) -> SearchStrategy[str]:
    return st.sampled_from(subject.names)


@law(
    "Loading gives the settings, or for each variable that is wrong or missing one problem that names it.",
    env=_env,
)
async def names_what_is_wrong(subject: SettingsSubject, env: Env) -> None:
    """Take what is named away, and fill in what is missing: then it loads."""
    loaded = _loaded(subject, env)
    if not isinstance(loaded, Failure):
        return
    problems = loaded.failure()
    named = [_named(problem) for problem in problems]
    known = {*subject.names, *(alias for variable, _ in variables(subject.cls) for alias in variable.aliases)}
    hold(set(named) <= known, f"problems that name no variable of the class: {problems}.")
    hold(len(named) == len(set(named)), f"one variable in several problems: {problems}.")
    working = subject.working()
    mended = {name: text for name, text in env.items() if name not in named}
    again = _loaded(subject, mended | {name: working[name] for name in named if name in working})
    hold(not isinstance(again, Failure), f"{named} were named and are mended, but: {again}.")


@law(
    "A variable that is set to what is no text, or cannot be printed, is a problem that names it.",
    name=_variable,
    value=lambda _subject: st.binary() | st.integers() | st.lists(st.text(), max_size=2) | st.just("\0"),
)
async def refuses_what_is_no_text(subject: SettingsSubject, name: str, value: object) -> None:
    """A mapping that stands for the environment may hold anything."""
    env: dict[str, object] = {**subject.working(), name: value}
    loaded = _loaded(subject, env)  # type: ignore[arg-type]  # what the law is about
    named = [_named(problem) for problem in loaded.failure()] if isinstance(loaded, Failure) else []
    hold(name in named, f"{name}={value!r} gave {loaded}.")


@law("Every variable's example is accepted.", applies=SettingsSubject.has_variables)
async def examples_work(subject: SettingsSubject) -> None:
    """The table of settings, and every problem, show them to people."""
    loaded = _loaded(subject, subject.working())
    hold(not isinstance(loaded, Failure), f"the examples are refused: {loaded}.")


@law(
    "What is printed of a setting of a built-in kind is read back as the same value.",
    applies=SettingsSubject.has_variables,
    env=_env,
)
async def is_read_back(subject: SettingsSubject, env: Env) -> None:
    """Set each variable to what ``report`` printed of it."""
    loaded = _loaded(subject, env)
    if isinstance(loaded, Failure):
        return
    printed = {line.variable: line for line in report(loaded.unwrap(), env) if line.source != "default"}
    for variable, _ in variables(subject.cls):
        if variable.name in printed and _BUILT_IN.fullmatch(variable.parser.kind):
            text = printed[variable.name].value
            again = _loaded(subject, {**env, variable.name: text})
            hold(again == loaded, f"{variable.name} was printed as {text!r}, and read back gives {again}.")


@law(
    "No text made of the settings holds a secret: no problem, no report, no representation.",
    applies=SettingsSubject.has_secret,
    env=_env,
    around=lambda _subject: st.tuples(
        st.text(st.characters(), max_size=5), st.text(st.characters(), max_size=5)
    ),
)
async def shows_no_secret(subject: SettingsSubject, env: Env, around: tuple[str, str]) -> None:
    """Set every secret to a text that can be searched for."""
    before, after = around
    hidden = {v.name: f"{before}{CANARY}{after}" for v, _ in variables(subject.cls) if v.parser.secret}
    loaded = _loaded(subject, {**env, **hidden})
    shown = f"{loaded!r} {loaded}"
    if isinstance(loaded, Failure):
        shown += " ".join(map(str, loaded.failure()))
    else:
        shown += (
            f"{report(loaded.unwrap(), {**env, **hidden})} {attrs.asdict(loaded.unwrap(), recurse=False)}"
        )
    hold(CANARY not in shown, f"{CANARY} stands in {shown}")


def _loaded(subject: SettingsSubject, env: Env) -> Result[attrs.AttrsInstance, tuple[Problem, ...]]:
    return load(subject.cls, env)


def _named(problem: Problem) -> str:
    found = (
        re.match(r"\w+", problem.text) if problem.code in {Code.BAD_SETTING, Code.MISSING_SETTING} else None
    )
    return found[0] if found else ""


SETTINGS_LAWS: Final[tuple[Law[SettingsSubject], ...]] = (
    names_what_is_wrong,
    refuses_what_is_no_text,
    examples_work,
    is_read_back,
    shows_no_secret,
)
