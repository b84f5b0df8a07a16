"""What an app consists of, as values and as text."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import final

import attrs

from cqrs.core_variables import core_report
from cqrs.frozen import is_frozen
from cqrs.middleware import HandlerInfo
from cqrs.named_events import named_events
from cqrs.pipeline import Surroundings, stages
from cqrs.plugins import LoadedPlugin
from cqrs.problems import Code, Problem, name_of, place_of
from cqrs.registry import Entry
from cqrs.settings import SettingReport, report


@final
@attrs.frozen
class HandlerDescription:
    """One handler or subscriber.

    Attributes:
        info: what is known of it.
        messages: the names of what it takes: one message, or the events that it hears.
        stages: its pipeline, outside to inside.
        names: the events that its code names, which is what it may publish.
    """

    info: HandlerInfo
    messages: tuple[str, ...]
    stages: tuple[str, ...]
    names: tuple[str, ...] = ()


@final
@attrs.frozen
class PluginDescription:
    """One plugin that was found.

    Attributes:
        name: its name.
        distribution: the distribution that brings it, with its version; empty for one given in code.
        state: ``active``, ``off``, ``failed`` or ``excluded``.
        reason: why it does not run, empty if it does.
        settings: what it has read, secrets masked.
    """

    name: str
    distribution: str
    state: str
    reason: str
    settings: tuple[SettingReport, ...] = ()


@final
@attrs.frozen
class AppDescription:
    """An app as it would start.

    Attributes:
        handlers: every handler, then every subscriber.
        plugins: every plugin that was found.
        warnings: what keeps nothing from starting and is seldom meant.
    """

    handlers: tuple[HandlerDescription, ...]
    plugins: tuple[PluginDescription, ...]
    warnings: tuple[Problem, ...] = ()


def describe(
    scopes: Mapping[Entry, Sequence[str]],
    around: Surroundings,
    plugins: Iterable[LoadedPlugin],
    warnings: tuple[Problem, ...] = (),
) -> AppDescription:
    """Describe an app.

    Args:
        scopes: its handlers and subscribers, each with the names of what it needs that lives for one message only.
        around: what it hangs around them.
        plugins: what was found.
        warnings: what keeps nothing from starting and is seldom meant.
    """
    known = {event: name for entry in scopes for event, name in entry.events.items()}
    handlers = (
        HandlerDescription(
            e.info, _messages(e), tuple(stages(e.info, around, scope)), named_events(e.handler, known)
        )
        for e, scope in scopes.items()
    )
    plugins = tuple(plugins)
    failed = tuple(plugin.problem.told() for plugin in plugins if plugin.problem is not None)
    described = tuple(describe_plugin(plugin) for plugin in plugins)
    return AppDescription(tuple(handlers), described, (*_not_frozen(tuple(scopes)), *warnings, *failed))


def describe_plugin(plugin: LoadedPlugin) -> PluginDescription:
    """Describe a plugin.

    Args:
        plugin: as it was found.
    """
    origin = f"{plugin.distribution} {plugin.version}" if plugin.distribution else ""
    builder = plugin.builder
    settings = () if builder is None else tuple(r for s in builder.loaded for r in report(s, builder.env))
    return PluginDescription(plugin.name, origin, plugin.state, plugin.reason, settings)


def describe_core(env: Mapping[str, str]) -> PluginDescription:
    """Describe the core as if it were a plugin, for what it reads.

    Args:
        env: the environment.
    """
    return PluginDescription(
        "core", f"returns-cqrs {version('returns-cqrs')}", "active", "", core_report(env)
    )


def handlers_text(description: AppDescription) -> str:
    """List handlers, one line each with its pipeline below.

    Args:
        description: the app.
    """
    lines: list[str] = []
    for handler in description.handlers:
        info = handler.info
        lines.append(
            f"{info.kind:<8}{', '.join(handler.messages)}  →  {info.subscriber or info.handler}  {info.place}"
        )
        lines.append(f"        {' > '.join(handler.stages)}")
    return "\n".join(lines) or "no handlers"


def plugins_text(plugins: Iterable[PluginDescription]) -> str:
    """List plugins, one line each.

    Args:
        plugins: what was found.
    """
    lines = [
        f"{p.name:<16} {p.state:<9} {p.distribution or 'given in code'}"
        + (f": {p.reason}" if p.reason else "")
        for p in plugins
    ]
    return "\n".join(lines) or "no plugins installed"


def _messages(entry: Entry) -> tuple[str, ...]:
    return tuple(entry.events.values()) or (entry.info.message_type,)


def _not_frozen(entries: Iterable[Entry]) -> tuple[Problem, ...]:
    messages = dict.fromkeys(m for e in entries for m in (tuple(e.events) or (e.info.message,)))
    return tuple(
        Problem(
            Code.NOT_FROZEN,
            f"{name_of(message)} can be changed after it was made: handlers and middleware share one instance.",
            "make it frozen, for example with @attrs.frozen or @dataclass(frozen=True).",
            place_of(message),
        )
        for message in messages
        if not is_frozen(message)
    )
