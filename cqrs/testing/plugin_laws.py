"""The laws of a plugin: what whoever installs it relies on."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, final

import anyio
import anyio.lowlevel
import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from returns.result import Failure, Result

from cqrs.app import CqrsApp, CqrsModule
from cqrs.features import Feature
from cqrs.plugins import Plugin
from cqrs.problems import Code
from cqrs.settings import variables
from cqrs.testing.failing_plugin import STAGES, Fails, failing
from cqrs.testing.handler_laws import dispatch
from cqrs.testing.laws import Law, hold, law
from cqrs.testing.scripted import EVENTS, MESSAGES, Behaviour, behaviours, numbered, scripted, shape
from cqrs.testing.settings_laws import texts

if TYPE_CHECKING:
    pass

Sent = Sequence[tuple[int, int]]

_KINDS: Final = (*MESSAGES, *EVENTS)
_MOST_ROUNDS: Final = 1000
_GRACE_SECONDS: Final = 1.0


@final
@attrs.frozen(eq=False)
class PluginSubject:
    """A plugin, as its laws look at it.

    Attributes:
        make: gives the plugin; called for each example.
        env: the environment in which it runs.
        transparent: whether dispatches come to the same with it as without it.
        beside: gives the plugins that it requires.
    """

    make: Callable[[], Plugin]
    env: Mapping[str, str] = attrs.field(factory=dict[str, str])
    transparent: bool = True
    beside: Callable[[], Sequence[Plugin]] = tuple

    def app(
        self, feature: Feature, plugin: Plugin | None = None, env: Mapping[str, str] | None = None
    ) -> CqrsApp:
        """Compose an app.

        Args:
            feature: its handlers.
            plugin: with it and what it needs; without any if not given.
            env: set on top of the subject's.
        """
        plugins = () if plugin is None else (*self.beside(), plugin)
        return CqrsModule.for_root(feature, plugins=plugins, env={**self.env, **(env or {})})

    def names(self) -> list[str]:
        """The variables of its settings class."""
        settings = self.make().settings
        return [] if settings is None else [variable.name for variable, _ in variables(settings)]


def _handlers(_subject: PluginSubject) -> SearchStrategy[object]:
    return st.dictionaries(st.sampled_from(range(len(_KINDS))), behaviours(), min_size=1)


def _sent(_subject: PluginSubject) -> SearchStrategy[object]:
    return st.lists(st.tuples(st.sampled_from(range(len(_KINDS))), st.integers(0, 2)), max_size=6)


def _fails(_subject: PluginSubject) -> SearchStrategy[object]:
    return st.sampled_from(STAGES)


def _env(subject: PluginSubject) -> SearchStrategy[object]:
    return st.dictionaries(st.sampled_from(subject.names()), texts(), min_size=1, max_size=3)


async def _runs(subject: PluginSubject) -> None:
    """Start an app with it."""
    plugin = subject.make()
    async with subject.app(Feature("laws"), plugin) as app:
        found = [(each.state, each.reason) for each in app.plugins if each.name == plugin.name]
        health = [each for each in app.health() if each.plugin == plugin.name]
    hold(found == [("active", "")], f"it is {found}.")
    hold(all(each.ok for each in health), f"its health is {health}.")


runs: Final[Law[PluginSubject]] = Law(
    "runs", "In its environment the plugin runs, and says that it is well.", _runs
)


@law(
    "Every dispatch comes to the same with the plugin as without it, and runs its handler as often.",
    applies=lambda subject: subject.transparent,
    handlers=_handlers,
    sent=_sent,
)
async def changes_no_result(subject: PluginSubject, handlers: Mapping[int, Behaviour], sent: Sent) -> None:
    """Send the same messages to two apps."""
    without = await _played(subject, handlers, sent)
    with_it = await _played(subject, handlers, sent, subject.make())
    hold(with_it == without, f"without it {without}, with it {with_it}.")


@law(
    "Whatever stage it fails at, the app runs as without it and names it.",
    handlers=_handlers,
    sent=_sent,
    fails=_fails,
)
async def fails_alone(
    subject: PluginSubject, handlers: Mapping[int, Behaviour], sent: Sent, fails: Fails
) -> None:
    """Let the plugin do all it does at a stage, and fail then."""
    plugin = failing(subject.make(), fails)
    without = await _played(subject, handlers, sent)
    feature, heard = _scripted(handlers)
    async with subject.app(feature, plugin) as app:
        if fails == "run raises":
            await plugin.break_down(lambda: _state(app, plugin))
        state = _state(app, plugin)
        answers = [
            [shape(each) for each in await dispatch(app, numbered(_KINDS[which], n))] for which, n in sent
        ]
    hold(state == ("active" if fails == "stop raises" else "failed"), f"{fails}: it is {state}.")
    same = fails == "stop raises" or (answers, list(map(repr, heard))) == without
    hold(same, f"{fails}: without it {without}, with it {(answers, heard)}.")


@law(
    "Of a plugin whose configure fails, nothing is left: no middleware, no instrument, no service.",
    fails=_fails,
)
async def configures_as_a_whole(subject: PluginSubject, fails: Fails) -> None:
    """Ask for what it registered, and compare the pipelines with those of an app without it."""
    refuses: Fails = "configure refuses" if fails == "configure refuses" else "configure raises"
    plugin = failing(subject.make(), refuses)
    feature = Feature("laws")
    for kind in MESSAGES:
        feature.handles(kind)(scripted("success", []))
    stages = _stages(subject.app(feature, plugin))
    hold(stages == _stages(subject.app(feature, Plugin())), f"{refuses}: left in the pipelines: {stages}.")
    for service in plugin.registered:
        checked = subject.app(_asking(service), failing(subject.make(), refuses)).check()
        codes = (
            {problem.code for problem in checked.failure()} if isinstance(checked, Failure) else set[Code]()
        )
        hold(Code.MISSING_DEPENDENCY in codes, f"{refuses}: {service.__qualname__} can still be injected.")


@law(
    "Settings of any text never keep the app from running, nor raise.",
    applies=lambda subject: bool(subject.names()),
    env=_env,
)
async def survives_any_settings(subject: PluginSubject, env: Mapping[str, str]) -> None:
    """Set some of its variables to anything."""
    plugin = subject.make()
    async with subject.app(Feature("laws"), plugin, env) as app:
        state = _state(app, plugin)
    hold(state in {"active", "off", "failed"}, f"it is {state}.")


@law(
    "Stopped, it leaves no thread and no task; it can be started and stopped again.",
    handlers=_handlers,
    sent=_sent,
)
async def stops_for_good(subject: PluginSubject, handlers: Mapping[int, Behaviour], sent: Sent) -> None:
    """Enter one app twice."""
    plugin = subject.make()
    app = subject.app(_scripted(handlers)[0], plugin)
    threads, tasks = set(threading.enumerate()), {task.id for task in anyio.get_running_tasks()}
    for which_time in ("first", "second"):
        async with app:
            state = _state(app, plugin)
            for which, number in sent:
                await dispatch(app, numbered(_KINDS[which], number))
        hold(state == "active", f"the {which_time} time it is {state}.")
        hold(_state(app, plugin) == "active", f"the {which_time} time it stopped as {app.plugins}.")
    for _ in range(3):
        await anyio.lowlevel.checkpoint()
    left = _outlasting(set(threading.enumerate()) - threads)
    hold(not left, f"threads left running: {', '.join(left)}.")
    running = [str(task.name) for task in anyio.get_running_tasks() if task.id not in tasks]
    hold(not running, f"tasks left running: {', '.join(running)}.")


def _outlasting(threads: set[threading.Thread]) -> list[str]:
    # A thread that has been told to end needs a moment for it; one of a pool ends with its event loop.
    own = [thread for thread in threads if not thread.name.startswith("AnyIO worker")]
    until = time.monotonic() + _GRACE_SECONDS
    for thread in own:
        thread.join(max(0.0, until - time.monotonic()))
    return [thread.name for thread in own if thread.is_alive()]


def _state(app: CqrsApp, plugin: Plugin) -> str:
    return next((each.state for each in app.plugins if each.name == plugin.name), "missing")


def _scripted(handlers: Mapping[int, Behaviour]) -> tuple[Feature, list[object]]:
    heard: list[object] = []
    feature = Feature("laws")
    for which, behaviour in handlers.items():
        if which < len(MESSAGES):
            feature.handles(MESSAGES[which])(scripted(behaviour, heard))
        else:
            feature.subscribes(EVENTS[which - len(MESSAGES)], name=f"s{which}")(scripted(behaviour, heard))
    return feature, heard


async def _played(
    subject: PluginSubject, handlers: Mapping[int, Behaviour], sent: Sent, plugin: Plugin | None = None
) -> tuple[list[list[object]], list[str]]:
    feature, heard = _scripted(handlers)
    async with subject.app(feature, plugin) as app:
        if plugin is not None:
            state = _state(app, plugin)
            hold(state in {"active", "off"}, f"it is {state}, so that nothing can be said: {app.plugins}.")
        answers = [
            [shape(each) for each in await dispatch(app, numbered(_KINDS[which], n))] for which, n in sent
        ]
    return answers, list(map(repr, heard))


def _stages(app: CqrsApp) -> list[tuple[str, ...]]:
    checked = app.check()
    return [] if isinstance(checked, Failure) else [each.stages for each in checked.unwrap().handlers]


def _asking(service: type) -> Feature:
    async def handle(message: object, *, wanted: object) -> Result[object, object]:
        del message
        return Failure(wanted)

    handle.__annotations__["wanted"] = service
    feature = Feature("laws")
    feature.handles(MESSAGES[0])(handle)
    return feature


PLUGIN_LAWS: Final[tuple[Law[PluginSubject], ...]] = (
    runs,
    changes_no_result,
    fails_alone,
    configures_as_a_whole,
    survives_any_settings,
    stops_for_good,
)
