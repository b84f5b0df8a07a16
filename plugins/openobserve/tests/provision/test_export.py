"""The desired state as files."""

import json
from typing import Any

from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.export import files, listed


def test_files_import_into_an_empty_server_and_leave_nothing_to_do(site: Any) -> None:
    """By the calls that README.md lists, in its order, and the address put in."""
    written = files(site.desired)
    readme = written["README.md"].decode()
    rows = [line.split("|") for line in readme.splitlines() if line.startswith("| `")]
    calls = [(row[1].strip(" `"), row[2].strip(" `")) for row in rows]
    assert {path for path, _ in calls} == set(written) - {"README.md"}
    folders: dict[str, str] = {}
    for path, call in calls:
        method, _, url = call.partition(" ")
        url = url.replace("$API2", "/api/v2/default").replace("$API", "/api/default")
        body = written[path].decode().replace("$CQRS_ALERT_ADDRESS", site.desired.channel.address.reveal())
        answer = site.bridge.request(
            method, url.replace("$FOLDER", folders.get(path.split("/")[0], "")), json=json.loads(body)
        )
        assert answer.status_code == 200, (path, answer.text)
        if path.startswith("folders/"):
            folders[path.removeprefix("folders/").removesuffix(".json")] = answer.json()["folderId"]
    left = site.plan()
    assert not left.pending, [change for change in left.changes if change.kind != "unchanged"]
    assert {change.kind for change in left.changes} == {"unchanged"}


def test_the_address_of_the_channel_is_not_written_down(site: Any) -> None:
    """It is what lets one write there."""
    assert b"canary" not in b"".join(files(site.desired).values())


def test_names_that_differ_in_case_alone_get_files_of_their_own(make_site: Any) -> None:
    """Also where that is no difference to the file system, and where the next name is taken, too."""
    rules = [
        AlertRule(name, name, "cqrs_commands", "SELECT 1 AS a", "{a}", 5) for name in ("Own", "own-2", "own")
    ]
    written = files(make_site(rules=rules).desired)
    names = {
        path: json.loads(body)["name"] for path, body in written.items() if path.startswith("alerts/own")
    }
    assert names == {"alerts/own.json": "Own", "alerts/own-2.json": "own-2", "alerts/own-3.json": "own"}
    assert len({path.lower() for path in written}) == len(written)


def test_what_an_export_wrote_is_known_by_its_readme(site: Any) -> None:
    """And nothing that it could not have written, whatever somebody made of the table."""
    written = files(site.desired)
    readme = written["README.md"].decode()
    assert listed(readme) == set(written)
    assert listed(f"# Mine\n{readme}") == set()
    assert listed(f"{readme}| `../../secret.json` | `x` |\n| `alerts/../../x.json` | `x` |\n") == set(written)


def test_retention_is_among_the_settings(make_site: Any) -> None:
    """And without a channel there is nothing of alerts."""
    site = make_site(alert_channel=None, stream_retention="7")
    written = files(site.desired)
    assert json.loads(written["streams/cqrs_commands.settings.json"])["data_retention"] == 7
    assert {path.partition("/")[0] for path in written} == {"streams", "folders", "dashboards", "README.md"}
