"""Finding plugins: walk the installed distributions, load and configure each one on its own."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Final, cast

import attrs

from cqrs.plugin_configuration import Provides, configured, mend, told, watched
from cqrs.plugins import LoadedPlugin, Plugin
from cqrs.problems import Code, Problem

GROUP: Final = "cqrs.plugins"
PACKAGE: Final = "cqrs"
OWN: Final = "returns-cqrs"
_FIRST_FILE: Final = f"\n{PACKAGE}/__init__.py,"

logger: Final = logging.getLogger("cqrs")


def gather(
    plugins: Sequence[Plugin] | None,
    env: Mapping[str, str],
    found: Sequence[Distribution] | None = None,
    *,
    provides: Provides = lambda _service: False,
) -> tuple[LoadedPlugin, ...]:
    """Find, load and configure plugins; whatever one of them does, the others are unharmed.

    Args:
        plugins: the plugins to use instead of discovery, or None to discover the installed ones.
        env: ``CQRS_PLUGINS`` (``none`` or an allow-list) and ``CQRS_PLUGINS_DISABLED`` select by name,
            before anything of a plugin is imported; the rest is the plugins' own.
        found: the installed distributions; those on ``sys.path`` if not given.
        provides: tells what the app itself provides; a plugin that registers such a type fails.

    Returns:
        Every plugin that was found, with its state, in the order in which they are to start: those given as they were
        given, those found by name, each after those that it requires.
    """
    if plugins is not None:
        return configured([_given(plugin) for plugin in plugins], env, provides)
    candidates = sorted(_candidates(distributions() if found is None else found), key=lambda c: c[0].name)
    _warn_of_unknown_names(env, {loaded.name for loaded, _ in candidates})
    chosen = [_selected(loaded, env) for loaded, _ in candidates]
    entries = [entry for _, entry in candidates]
    loaded = map(_imported, _without_clashes(chosen), entries)
    return configured(tuple(loaded), env, provides)


def foreign_owners(owners: Mapping[str, Sequence[str]] | None = None) -> tuple[Problem, ...]:
    """Tell of other distributions that install an import package ``cqrs``: their files and ours overwrite each other.

    Args:
        owners: distributions by import package; those installed if not given.
    """
    installed = _installed_owners() if owners is None else owners
    strangers = sorted({name for name in installed.get(PACKAGE, ()) if name.lower().replace("_", "-") != OWN})
    return tuple(
        Problem(
            Code.FOREIGN_PACKAGE,
            f"the distributions {OWN} and {stranger} both install the import package {PACKAGE!r}.",
            f"pip uninstall {stranger}, then pip install --force-reinstall {OWN}.",
        )
        for stranger in strangers
    )


@lru_cache(maxsize=1)
def _installed_owners() -> Mapping[str, Sequence[str]]:
    # The lists of files as text, once per process: importlib.metadata.packages_distributions parses the metadata of
    # everything that is installed, at every start of an app.
    return {
        PACKAGE: [
            identity_of(each)[0] for each in distributions() if _FIRST_FILE in f"\n{_read(each, 'RECORD')}"
        ]
    }


def _candidates(
    found: Iterable[Distribution],
) -> Iterator[tuple[LoadedPlugin, EntryPoint]]:
    # One distribution at a time: a malformed file of one must not hide the plugins of the others.
    seen: set[str] = set()
    for distribution in found:
        text = _read(distribution, "entry_points.txt")
        if GROUP not in text:
            _warn_of_malformed(distribution, text)
            continue
        name, version = identity_of(distribution)
        if (normalised := name.lower().replace("_", "-")) in seen:
            continue  # further down sys.path, where importing would not look either
        seen.add(normalised)
        try:
            entries = {entry.name: entry for entry in distribution.entry_points if entry.group == GROUP}
        except Exception as error:  # whatever a malformed file makes the parser raise
            broken = LoadedPlugin(name, name, version, "failed").failed(
                "discover", f"its entry_points.txt is malformed ({told(error)}).", f"reinstall {name}."
            )
            yield broken, EntryPoint(name, "", GROUP)
            continue
        for entry in entries.values():
            yield LoadedPlugin(entry.name, name, version, "active"), entry


def _read(distribution: Distribution, file: str) -> str:
    try:
        return distribution.read_text(file) or ""
    except (OSError, UnicodeError) as error:
        name, version = identity_of(distribution)
        logger.warning("%s of %s %s cannot be read: %s. Fix: reinstall it.", file, name, version, told(error))
        return ""


def _warn_of_malformed(distribution: Distribution, text: str) -> None:
    """Name a distribution whose entry points nobody can read: what it brings is not found, and it may have meant us."""
    section = False
    for line in filter(None, map(str.strip, text.splitlines())):
        section = section or (line.startswith("[") and line.endswith("]"))
        if not line.startswith(("#", "[")) and not (section and "=" in line):
            name, version = identity_of(distribution)
            unread = "entry_points.txt of %s %s is malformed: %r. Its plugins, if any, are not found. Fix: reinstall it."
            logger.warning(unread, name, version, line[:80])
            return


def identity_of(distribution: Distribution) -> tuple[str, str]:
    """Give a distribution's name and version, whatever state its metadata is in.

    Args:
        distribution: an installed distribution.
    """
    place = str(getattr(distribution, "_path", "?"))  # a distribution without readable metadata still has one
    try:
        metadata = distribution.metadata
        name, version = (metadata[key] if key in metadata else "" for key in ("Name", "Version"))  # noqa: SIM401 - its protocol has no get()
    except Exception:  # damaged in any way
        return place, "?"
    return name or place, version or "?"


def _names(env: Mapping[str, str], variable: str) -> list[str]:
    raw: object = env.get(variable)
    return [name for name in re.split(r"[,\s]+", raw if isinstance(raw, str) else "") if name]


def _warn_of_unknown_names(env: Mapping[str, str], known: set[str]) -> None:
    for variable in ("CQRS_PLUGINS", "CQRS_PLUGINS_DISABLED"):
        for name in _names(env, variable):
            if name not in known and name != "none":
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else "no plugin of that name is installed."
                logger.warning("%s names %r: %s", variable, name, hint)


def _selected(loaded: LoadedPlugin, env: Mapping[str, str]) -> LoadedPlugin:
    allowed, denied = _names(env, "CQRS_PLUGINS"), _names(env, "CQRS_PLUGINS_DISABLED")
    if loaded.state != "active" and "none" not in allowed:
        return loaded
    if loaded.name in denied:
        return attrs.evolve(loaded, state="excluded", reason="named in CQRS_PLUGINS_DISABLED")
    if allowed and loaded.name not in allowed:
        return attrs.evolve(
            loaded, state="excluded", reason=f"not named in CQRS_PLUGINS={env['CQRS_PLUGINS']}"
        )
    return loaded


def _without_clashes(chosen: Sequence[LoadedPlugin]) -> Iterator[LoadedPlugin]:
    for loaded in chosen:
        rivals = sorted({f"{o.distribution} {o.version}" for o in chosen if o.name == loaded.name})
        if len(rivals) > 1 and loaded.state == "active":
            yield loaded.failed(
                "discover",
                f"{' and '.join(rivals)} both bring it.",
                "uninstall one of them; neither is loaded.",
            )
        else:
            yield loaded


def _given(plugin: Plugin) -> LoadedPlugin:
    name = str(getattr(plugin, "name", "") or type(plugin).__qualname__)
    return LoadedPlugin(name, "", "", "active", plugin=plugin)


def _imported(loaded: LoadedPlugin, entry: EntryPoint) -> LoadedPlugin:
    if loaded.state != "active":
        return loaded
    try:
        with watched(loaded, "imported"):
            factory: Callable[[], object] = entry.load()
            # What it really is, is looked at before it is configured.
            return attrs.evolve(loaded, plugin=cast("Plugin", factory()))
    except ModuleNotFoundError as error:
        hint = f"pip install {loaded.distribution} with what it needs, or set CQRS_PLUGINS_DISABLED={loaded.name}."
        return loaded.failed("load", f"{entry.value}: {told(error)}.", hint)
    except (Exception, SystemExit) as error:  # a plugin that exits on import must not end the app
        return loaded.failed("load", f"{entry.value}: {told(error)}.", mend(loaded))
