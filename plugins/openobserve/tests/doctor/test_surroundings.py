"""What runs here: versions, plugins, settings, and how processes are made."""

import attrs
import pytest
from cqrs_openobserve.doctor.surroundings import (
    PluginFacts,
    Surroundings,
    judge_process,
    judge_versions,
    look,
)

FACTS = Surroundings(
    "CPython 3.13.1 on Linux",
    {"returns-cqrs": "0.1.0"},
    (PluginFacts("openobserve", "returns-cqrs-openobserve 0.1.0", "active", ""),),
    (),
)


def test_what_is_installed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every setting of core and plugins, secrets masked."""
    monkeypatch.setenv("OPENOBSERVE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENOBSERVE_TOKEN", "user:s3cret-canary")
    found = look({"WEB_CONCURRENCY": "4"})
    assert found.python.startswith("CPython 3.")
    assert found.versions["returns-cqrs-openobserve"]
    assert {plugin.name: plugin.state for plugin in found.plugins}["openobserve"] == "active"
    settings = {setting.variable: setting for setting in found.settings}
    assert settings["OPENOBSERVE_URL"].value == "http://127.0.0.1:9"
    assert settings["OPENOBSERVE_BATCH_SIZE"].source == "default"
    assert found.workers == {"WEB_CONCURRENCY": "4"}
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("WEB_CONCURRENCY", "4", "4"),
        ("UWSGI_PROCESSES", " 8 ", "8"),
        ("GUNICORN_CMD_ARGS", "--workers=3 --bind=0.0.0.0", "3"),
        ("GUNICORN_CMD_ARGS", "-w 3", "3"),
        ("GUNICORN_CMD_ARGS", "-w3 --env DB=x", "3"),
        ("GUNICORN_CMD_ARGS", "--workers 12", "12"),
        ("GUNICORN_CMD_ARGS", "--env DB=postgres://u:hunter2-canary@db", "set"),
        ("GUNICORN_CMD_ARGS", "--workers=3-canary", "set"),
    ],
)
def test_of_a_variable_of_a_server_only_the_number_of_workers_is_shown(
    variable: str, value: str, shown: str
) -> None:
    """Its arguments may hold passwords."""
    found = look({variable: value})
    assert found.workers == {variable: shown}
    assert "canary" not in str(judge_process(found))


@pytest.mark.parametrize(
    ("plugin", "status", "text"),
    [
        (PluginFacts("swr", "d 1", "active", ""), "ok", "plugin swr (d 1) is active"),
        (PluginFacts("swr", "d 1", "off", "not wanted"), "ok", "is off: not wanted"),
        (PluginFacts("swr", "", "failed", "Boom: \x1b[31m"), "fail", "plugin swr is failed: Boom: [31m"),
        (PluginFacts("openobserve", "", "off", "OPENOBSERVE_ENABLED is off"), "warn", "is off"),
        (PluginFacts("openobserve", "", "excluded", "CQRS_PLUGINS_DISABLED"), "warn", "is excluded"),
    ],
    ids=lambda value: f"{value.name}-{value.state}" if isinstance(value, PluginFacts) else None,
)
def test_a_plugin_is_told_with_why_it_does_not_run(plugin: PluginFacts, status: str, text: str) -> None:
    """Broken is a failure; that this plugin is off is a warning, because it was asked for help."""
    line = judge_versions(attrs.evolve(FACTS, plugins=(plugin,)))[-1]
    assert line.status == status
    assert text in line.text


def test_processes_are_told_with_what_makes_them() -> None:
    """A server with workers, the start method, and what is unusual."""
    facts = attrs.evolve(
        FACTS, workers={"WEB_CONCURRENCY": "4"}, start_method="fork", unusual=("Threads are replaced.",)
    )
    server, method, unusual = judge_process(facts)
    assert "WEB_CONCURRENCY=4: each forked process has books of its own" in server.text
    assert "made by fork" in method.text
    assert (unusual.status, unusual.text) == ("warn", "Threads are replaced.")
