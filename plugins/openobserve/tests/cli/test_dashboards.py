"""``dashboards`` as a person runs it."""

from collections.abc import Callable
from typing import Any

from click.testing import Result
from cqrs_openobserve.testing import Reply

Run = Callable[..., Result]


def test_addresses_are_printed(run: Run, env: dict[str, str], local: Any) -> None:
    """Of the local server's page; not from a terminal, no browser."""
    assert run("dashboards", "open", **env).exit_code == 1
    run("init", **env)
    result = run("dashboards", "open", **env)
    assert result.exit_code == 0
    key = local.request("GET", "/api/v2/default/folders/dashboards").json()["list"][0]["folderId"]
    ids = [
        each["dashboard_id"]
        for each in local.request("GET", f"/api/default/dashboards?folder={key}").json()["dashboards"]
    ]
    assert result.stdout.count("\n") == 3
    assert all(f"{env['OPENOBSERVE_URL']}/#dashboards/{each}" in result.stdout for each in ids)
    assert run("dashboards", "open", "quer", **env).stdout.startswith("CQRS queries")
    assert run("dashboards", "open", "nothing like it", **env).exit_code == 1


def test_a_real_servers_address_names_organisation_dashboard_and_folder(
    run: Run, env: dict[str, str], local: Any, server: Any
) -> None:
    """As its own user interface writes it."""
    run("init", **env)
    config = Reply(200, b'{"version":"v0.92.2","commit_hash":"abc","build_type":"opensource"}')
    server.behave = lambda received: config if received.path == "/config" else local(received)
    result = run("dashboards", "open", "--print", "commands", **env)
    assert "/web/dashboards/view?org_identifier=default&dashboard=" in result.stdout
    assert "&folder=" in result.stdout
