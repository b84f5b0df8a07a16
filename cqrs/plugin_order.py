"""In which order plugins are configured and started: by name, then as they say themselves."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from cqrs.plugins import LoadedPlugin

# By place, not by name: two plugins that fail, or are given in code, may have one name.
Edges = Mapping[int, Sequence[int]]


def ordered(plugins: Sequence[LoadedPlugin]) -> tuple[LoadedPlugin, ...]:
    """Put plugins in order; those that have to come after themselves fail, and no others.

    Args:
        plugins: loaded, not configured; their order decides where ``requires`` and ``after`` do not.

    Returns:
        All of them, each after those that it ``requires`` and those of its ``after`` that are there.
    """
    edges = {place: _before(plugin, plugins) for place, plugin in enumerate(plugins)}
    placed = dict(enumerate(plugins))
    for circle in _circles(edges):
        for place in circle:
            placed[place] = _in_a_circle(place, circle, plugins)
            edges[place] = []
    return tuple(placed[place] for place in _sorted(edges))


def unmet(plugin: LoadedPlugin, others: Iterable[LoadedPlugin]) -> str:
    """Say which plugin that another one needs does not run, and why; empty if all do.

    Args:
        plugin: what needs them.
        others: those that may be what it needs, as far as they came.
    """
    state = {other.name: other for other in others}
    for name in () if plugin.plugin is None else plugin.plugin.requires:
        other = state.get(name)
        if other is None:
            return f"it needs the plugin {name}, which is not there."
        if other.state != "active":
            return f"it needs the plugin {name}, which is {other.state}: {other.reason.rstrip('.')}."
    return ""


def _before(plugin: LoadedPlugin, plugins: Sequence[LoadedPlugin]) -> list[int]:
    if plugin.state != "active" or plugin.plugin is None:
        return []
    wanted = {*plugin.plugin.requires, *plugin.plugin.after}
    return [place for place, other in enumerate(plugins) if other.name in wanted]


def _circles(edges: Edges) -> list[list[int]]:
    left = dict(edges)
    circles: list[list[int]] = []
    while circle := _circle(left):
        circles.append(circle)
        left |= dict.fromkeys(circle, ())
    return circles


def _circle(edges: Edges) -> list[int]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        found: list[int] = error.args[1]  # each before the one that needs it, the first again at the end
        return found[:0:-1]
    return []


def _in_a_circle(place: int, circle: Sequence[int], plugins: Sequence[LoadedPlugin]) -> LoadedPlugin:
    start = circle.index(place)
    way = " → ".join(plugins[each].name for each in [*circle[start:], *circle[:start], place])
    return plugins[place].failed(
        "order",
        f"it has to come after itself: {way}.",
        f"take one of them out of requires or after, or set CQRS_PLUGINS_DISABLED={plugins[place].name}.",
    )


def _sorted(edges: Edges) -> list[int]:
    sorter = TopologicalSorter(edges)
    sorter.prepare()
    order: list[int] = []
    ready: list[int] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], reverse=True)
        order.append(ready.pop())
        sorter.done(order[-1])
    return order
