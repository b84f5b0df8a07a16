"""What an app consists of, as values and as text."""

from collections.abc import Iterable
from typing import final

import attrs

from cqrs.middleware import HandlerInfo
from cqrs.pipeline import Surroundings, stages
from cqrs.plugins import LoadedPlugin
from cqrs.registry import Entry


@final
@attrs.frozen
class HandlerDescription:
    """One handler or subscriber.

    Attributes:
        info: what is known of it.
        messages: the names of what it takes: one message, or the events that it hears.
        stages: its pipeline, outside to inside.
    """

    info: HandlerInfo
    messages: tuple[str, ...]
    stages: tuple[str, ...]


@final
@attrs.frozen
class PluginDescription:
    """One plugin that was found.

    Attributes:
        name: its name.
        distribution: the distribution that brings it, with its version; empty for one given in code.
        state: ``active``, ``off``, ``failed`` or ``excluded``.
        reason: why it does not run, empty if it does.
    """

    name: str
    distribution: str
    state: str
    reason: str


@final
@attrs.frozen
class AppDescription:
    """An app as it would start.

    Attributes:
        handlers: every handler, then every subscriber.
        plugins: every plugin that was found.
    """

    handlers: tuple[HandlerDescription, ...]
    plugins: tuple[PluginDescription, ...]


def describe(
    entries: Iterable[Entry], around: Surroundings, plugins: Iterable[LoadedPlugin]
) -> AppDescription:
    """Describe an app.

    Args:
        entries: its handlers and subscribers.
        around: what it hangs around them.
        plugins: what was found.
    """
    handlers = (HandlerDescription(e.info, _messages(e), tuple(stages(e.info, around))) for e in entries)
    return AppDescription(tuple(handlers), tuple(describe_plugin(plugin) for plugin in plugins))


def describe_plugin(plugin: LoadedPlugin) -> PluginDescription:
    """Describe a plugin.

    Args:
        plugin: as it was found.
    """
    origin = f"{plugin.distribution} {plugin.version}" if plugin.distribution else ""
    return PluginDescription(plugin.name, origin, plugin.state, plugin.reason)


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
