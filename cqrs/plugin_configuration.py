"""Configuring plugins: each on its own, in order, everything that one adds taken or left as a whole."""

import logging
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, cast

import attrs
from returns.result import Failure

from cqrs.dead_letter import DeadLetterQueue
from cqrs.plugin_order import ordered, unmet
from cqrs.plugins import API, LoadedPlugin, Plugin, PluginBuilder
from cqrs.problems import name_of
from cqrs.settings import all_required_absent

logger: Final = logging.getLogger("cqrs")

PATIENCE_SECONDS: Final = 2.0

# Says whether the app itself provides a type.
Provides = Callable[[type], bool]


def configured(
    plugins: Sequence[LoadedPlugin], env: Mapping[str, str], provides: Provides = lambda _service: False
) -> tuple[LoadedPlugin, ...]:
    """Configure plugins; whatever one of them does, the others are unharmed.

    Args:
        plugins: as they were loaded.
        env: the environment.
        provides: tells what the app itself provides; a plugin that registers such a type fails.

    Returns:
        All of them in the order in which they are to start, each with the state that it came to.
    """
    done: list[LoadedPlugin] = []
    for plugin in ordered([_fit(plugin) for plugin in plugins]):
        done.append(_configured(plugin, env, done))
    return _without_unmet(_without_conflicts(done, provides))


def mend(loaded: LoadedPlugin) -> str:
    """Say what helps against a plugin that cannot be used.

    Args:
        loaded: the plugin.
    """
    if not loaded.distribution:
        return "pass values of classes that derive from cqrs.plugins.Plugin."
    return f"mend or uninstall {loaded.distribution}, or set CQRS_PLUGINS_DISABLED={loaded.name}."


def told(error: BaseException) -> str:
    """Give an exception as a few words.

    Args:
        error: what was raised.
    """
    return f"{type(error).__name__}: {error}"[:500]


@contextmanager
def watched(loaded: LoadedPlugin, doing: str) -> Generator[None]:
    """Warn by name of a plugin that takes long while the app waits for it; it cannot be interrupted.

    Args:
        loaded: the plugin.
        doing: what it does, for the log.
    """
    origin = f" ({loaded.distribution} {loaded.version})" if loaded.distribution else ""
    text = "plugin %s%s is still being %s after %g s. Fix: %s"
    fix = f"ask {loaded.distribution or 'its author'} why, or set CQRS_PLUGINS_DISABLED={loaded.name}."
    arguments = (text, loaded.name, origin, doing, PATIENCE_SECONDS, fix)
    timer = threading.Timer(PATIENCE_SECONDS, logger.warning, arguments)
    timer.daemon = True  # a plugin that never ends does not keep the process from ending
    try:
        timer.start()
    except RuntimeError as error:  # no thread left: the plugin may still be configured
        logger.warning("plugin %s is not watched while %s: %s", loaded.name, doing, error)
    try:
        yield
    finally:
        timer.cancel()


def _fit(loaded: LoadedPlugin) -> LoadedPlugin:
    if loaded.state != "active":
        return loaded
    plugin: object = loaded.plugin
    if not isinstance(plugin, Plugin):
        reason = f"it is a {type(plugin).__qualname__}, not a cqrs Plugin."
        return attrs.evolve(loaded, plugin=None).failed("load", reason, mend(loaded))
    try:
        unfit = _of_another_api(plugin) or _misnamed(plugin)
    except (Exception, SystemExit) as error:  # its attributes may be properties
        unfit = f"{told(error)}."
    return loaded.failed("load", unfit, mend(loaded)) if unfit else loaded


def _of_another_api(plugin: Plugin) -> str:
    declared, version = repr(plugin.api), tuple(plugin.api)
    if list(map(type, version)) != [int, int]:
        return f"its api is {declared}, not a version such as {API}."
    if version[0] == API[0] and version <= API:
        return ""
    wants, has = ".".join(map(str, version)), ".".join(map(str, API))
    return f"it was written for plugin API {wants}; this core has {has}."


def _misnamed(plugin: Plugin) -> str:
    for attribute in ("requires", "after"):
        names: object = getattr(plugin, attribute)
        texts = cast("tuple[object, ...]", names) if isinstance(names, tuple) else (None,)
        if not all(isinstance(name, str) for name in texts):
            return f"its {attribute} is {names!r}, not a tuple of plugin names."
    return ""


def _configured(loaded: LoadedPlugin, env: Mapping[str, str], before: Sequence[LoadedPlugin]) -> LoadedPlugin:
    plugin = loaded.plugin
    if loaded.state != "active" or plugin is None:
        return loaded
    if missing := unmet(loaded, before):
        return _missing(loaded, missing)
    try:
        with watched(loaded, "configured"):
            return _asked(loaded, plugin, env)
    except (Exception, SystemExit) as error:  # its code, whatever it reads or calls
        reported = f"report it to {loaded.distribution or 'its author'}."
        return loaded.failed("configure", f"{told(error)}.", reported)


def _asked(loaded: LoadedPlugin, plugin: Plugin, env: Mapping[str, str]) -> LoadedPlugin:
    builder = PluginBuilder(env, plugin.given, loaded.name)
    if plugin.settings is not None and not plugin.given and all_required_absent(plugin.settings, env):
        return attrs.evolve(loaded, state="off", reason="none of its required settings is set")
    try:
        answer = plugin.configure(builder)
    finally:
        builder.close()
    if isinstance(answer, Failure):
        problems = answer.failure()
        return loaded.failed(
            "configure", " ".join(p.text for p in problems), " ".join(p.fix for p in problems)
        )
    if builder.off:
        return attrs.evolve(loaded, state="off", reason=builder.off)
    return attrs.evolve(loaded, builder=builder)


def _without_conflicts(plugins: Sequence[LoadedPlugin], provides: Provides) -> list[LoadedPlugin]:
    makers: dict[type, list[LoadedPlugin]] = {}
    for plugin in plugins:
        for service in _brought(plugin):
            makers.setdefault(service, []).append(plugin)
    return [_conflicting(plugin, makers, provides) for plugin in plugins]


def _conflicting(
    plugin: LoadedPlugin, makers: Mapping[type, Sequence[LoadedPlugin]], provides: Provides
) -> LoadedPlugin:
    for service in _brought(plugin):
        rivals = [other.name for other in makers[service] if other is not plugin]
        if provides(service):
            rivals.append("the app itself")
        if rivals:
            reason = f"it registers {name_of(service)}, and so does {' and '.join(rivals)}; none of the plugins' is used."
            return plugin.failed(
                "configure", reason, f"exclude one of them: CQRS_PLUGINS_DISABLED={plugin.name}."
            )
    return plugin


def _brought(plugin: LoadedPlugin) -> list[type]:
    if plugin.builder is None:
        return []
    return [*plugin.builder.services, *([DeadLetterQueue] if plugin.builder.queues else [])]


def _without_unmet(plugins: Sequence[LoadedPlugin]) -> tuple[LoadedPlugin, ...]:
    done: list[LoadedPlugin] = []
    for plugin in plugins:
        missing = unmet(plugin, done) if plugin.state == "active" else ""
        done.append(_missing(plugin, missing) if missing else plugin)
    return tuple(done)


def _missing(loaded: LoadedPlugin, missing: str) -> LoadedPlugin:
    return loaded.failed(
        "order", missing, f"install or mend what it needs, or set CQRS_PLUGINS_DISABLED={loaded.name}."
    )
