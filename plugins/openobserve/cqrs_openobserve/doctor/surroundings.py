"""What runs here: versions, plugins and their settings, and how processes are made."""

import multiprocessing
import os
import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final, final

import attrs

from cqrs import CqrsModule, Feature
from cqrs_openobserve.answers import one_line
from cqrs_openobserve.doctor.lines import Line, Setting
from cqrs_openobserve.plugin import surroundings

_DISTRIBUTIONS: Final = (
    "returns-cqrs",
    "returns-cqrs-openobserve",
    "returns-cqrs-swr",
    "returns-cqrs-local",
    "returns-cqrs-redis",
    "returns",
    "opentelemetry-sdk",
    "httpcore",
)
_WORKERS: Final = ("WEB_CONCURRENCY", "UVICORN_WORKERS", "GUNICORN_CMD_ARGS", "UWSGI_PROCESSES")
# A number, or the number among the arguments of gunicorn.
_COUNT: Final = re.compile(r"^\s*(\d{1,6})\s*$|(?:^|\s)(?:-w\s*|--workers[=\s]\s*)(\d{1,6})(?=\s|$)")
_MOST: Final = 300


@final
@attrs.frozen
class PluginFacts:
    """A plugin that was found.

    Attributes:
        name: its name.
        distribution: what brings it, with its version.
        state: ``active``, ``off``, ``failed`` or ``excluded``.
        reason: why it does not run, empty if it does.
    """

    name: str
    distribution: str
    state: str
    reason: str


@final
@attrs.frozen
class Surroundings:
    """What runs here.

    Attributes:
        python: implementation, version and system.
        versions: installed distributions that matter, with their versions.
        plugins: every plugin that was found.
        settings: what core and plugins have read, secrets masked.
        start_method: how multiprocessing makes processes; empty if nobody has chosen.
        workers: variables that tell a server how many processes to make.
        unusual: what is unusual about the interpreter.
    """

    python: str
    versions: Mapping[str, str]
    plugins: tuple[PluginFacts, ...]
    settings: tuple[Setting, ...]
    start_method: str = ""
    workers: Mapping[str, str] = attrs.Factory(dict[str, str])
    unusual: tuple[str, ...] = ()


def look(env: Mapping[str, str]) -> Surroundings:
    """Look around.

    Args:
        env: the environment.
    """
    described = CqrsModule.for_root(Feature("doctor")).configuration()
    plugins = tuple(PluginFacts(p.name, p.distribution, p.state, p.reason) for p in described[1:])
    settings = tuple(
        Setting(setting.variable, one_line(setting.value)[:_MOST], setting.source)
        for plugin in described
        for setting in plugin.settings
    )
    return Surroundings(
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}",
        {name: found for name in _DISTRIBUTIONS if (found := _version(name))},
        plugins,
        settings,
        multiprocessing.get_start_method(allow_none=True) or "",
        {name: found for name in _WORKERS if (found := _count(env.get(name, "")))},
        surroundings(),
    )


def _count(value: str) -> str:
    """How many workers a variable asks for; arguments may hold passwords, and are never shown."""
    found = _COUNT.search(value)
    return (found[1] or found[2]) if found else "set" if value else ""


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def judge_versions(facts: Surroundings) -> list[Line]:
    """Tell what is installed, and which plugins run.

    Args:
        facts: what was found.
    """
    installed = ", ".join(f"{name} {number}" for name, number in facts.versions.items())
    return [
        Line("versions", "python", "ok", facts.python),
        Line("versions", "distributions", "ok", installed),
        *(_plugin(each) for each in facts.plugins),
    ]


def _plugin(facts: PluginFacts) -> Line:
    origin = f" ({facts.distribution})" if facts.distribution else ""
    reason = one_line(facts.reason)[:_MOST]
    text = f"plugin {facts.name}{origin} is {facts.state}{f': {reason}' if reason else ''}"
    if facts.state == "active":
        return Line("versions", facts.name, "ok", text)
    if facts.state == "failed":
        return Line("versions", facts.name, "fail", text, "cqrs plugins shows it; the app runs without it")
    if facts.name == "openobserve":
        fix = "export OPENOBSERVE_URL=… and OPENOBSERVE_TOKEN=…, and leave it out of CQRS_PLUGINS_DISABLED"
        return Line("versions", facts.name, "warn", text, fix)
    return Line("versions", facts.name, "ok", text)


def judge_process(facts: Surroundings) -> list[Line]:
    """Tell how processes are made, and what that means for telemetry.

    Args:
        facts: what was found.
    """
    said = [f"{name}={value}" for name, value in facts.workers.items()]
    forks = "each forked process has books of its own and sends its own records"
    text = f"{', '.join(said)}: {forks}" if said else "no server for several processes is set up by variables"
    method = facts.start_method or ("fork or spawn, not chosen" if hasattr(os, "fork") else "spawn")
    return [
        Line("process", "server", "ok", text),
        Line("process", "multiprocessing", "ok", f"new processes are made by {method}"),
        *(
            Line("process", "interpreter", "warn", found, "run it on the usual threads and interpreter")
            for found in facts.unusual
        ),
    ]
