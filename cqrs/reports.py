"""An app and what is wrong with it, for people, for programs and for code review."""

import json
from collections.abc import Iterable, Mapping
from typing import Literal

from cqrs.describe import AppDescription, HandlerDescription, PluginDescription
from cqrs.problems import Problem

Level = Literal["error", "warning"]


def problems_github(problems: Iterable[Problem], level: Level) -> str:
    """Give problems as workflow commands of GitHub Actions, which it shows at their lines; one line each.

    Args:
        problems: what is wrong.
        level: how it is shown.
    """
    return "\n".join(_annotation(problem, level) for problem in problems)


def check_json(app: str, problems: Iterable[Problem], description: AppDescription | None) -> str:
    """Give the outcome of a check as a JSON object.

    Args:
        app: what was checked, as it was named.
        problems: what is wrong with it.
        description: the app, if nothing is.
    """
    report: dict[str, object] = {
        "app": app,
        "ok": description is not None,
        "problems": [_problem(problem) for problem in problems],
        "warnings": [],
    }
    if description is not None:
        report["warnings"] = [_problem(problem) for problem in description.warnings]
        report["handlers"] = len(description.handlers)
        report["plugins"] = [_plugin(plugin) for plugin in description.plugins]
    return _dumped(report)


def refusal_json(app: str, error: str) -> str:
    """Give a check that found no app as a JSON object.

    Args:
        app: what was looked for.
        error: what was found instead.
    """
    return _dumped({"app": app, "ok": False, "error": error, "problems": [], "warnings": []})


def refusal_github(app: str, error: str) -> str:
    """Give a check that found no app as a workflow command.

    Args:
        app: what was looked for.
        error: what was found instead.
    """
    return f"::error title={_property(app)}::{_data(error)}"


def handlers_json(description: AppDescription) -> str:
    """Give handlers as a JSON array.

    Args:
        description: the app.
    """
    return _dumped([_handler(handler) for handler in description.handlers])


def plugins_json(plugins: Iterable[PluginDescription]) -> str:
    """Give plugins as a JSON array.

    Args:
        plugins: what was found.
    """
    return _dumped([_plugin(plugin) for plugin in plugins])


def config_json(plugins: Iterable[PluginDescription]) -> str:
    """Give the settings of plugins as a JSON array, secrets masked.

    Args:
        plugins: what was found.
    """
    return _dumped([{**_plugin(plugin), "settings": _settings(plugin)} for plugin in plugins])


def config_text(plugins: Iterable[PluginDescription]) -> str:
    """List the settings of plugins, one line each with its source, secrets masked.

    Args:
        plugins: what was found.
    """
    lines: list[str] = []
    for plugin in plugins:
        lines.append(f"{plugin.name}: {plugin.state}" + (f", {plugin.reason}" if plugin.reason else ""))
        lines += [f"  {line.variable}={line.value}  ({line.source})" for line in plugin.settings]
    return "\n".join(lines) or "no plugins installed"


def _annotation(problem: Problem, level: Level) -> str:
    file, line = _place(problem.place)
    where = f"file={_property(file)},line={line}," if file else ""
    title = _property(problem.code)
    return f"::{level} {where}title={title}::{_data(f'{problem.text} Fix: {problem.fix}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _place(place: str) -> tuple[str, int | None]:
    file, _, line = place.rpartition(":")
    return (file, int(line)) if line.isdigit() else ("", None)


def _problem(problem: Problem) -> Mapping[str, object]:
    file, line = _place(problem.place)
    return {
        "code": problem.code,
        "text": problem.text,
        "fix": problem.fix,
        "file": file or None,
        "line": line,
    }


def _handler(handler: HandlerDescription) -> Mapping[str, object]:
    info = handler.info
    file, line = _place(info.place)
    return {
        "kind": info.kind,
        "messages": handler.messages,
        "handler": info.handler,
        "subscriber": info.subscriber,
        "file": file or None,
        "line": line,
        "timeout": info.timeout,
        "stages": handler.stages,
        "names_events": handler.names,
    }


def _plugin(plugin: PluginDescription) -> Mapping[str, object]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution or None,
        "state": plugin.state,
        "reason": plugin.reason or None,
    }


def _settings(plugin: PluginDescription) -> list[Mapping[str, object]]:
    return [
        {"variable": line.variable, "value": line.value, "source": line.source} for line in plugin.settings
    ]


def _dumped(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
