"""Where the spool is."""

import sys
from pathlib import Path

import pytest
from cqrs_openobserve.endpoint import parse_endpoint
from cqrs_openobserve.spool_place import SpoolPlace, spool_place

HERE = parse_endpoint("http://localhost:5080")


def place(setting: str = "", organization: str = "default", **env: str) -> SpoolPlace:
    return spool_place(setting, 5, env, HERE, organization)


@pytest.mark.parametrize(
    ("platform", "env", "root"),
    [
        ("linux", {"HOME": "/home/a"}, "/home/a/.local/state/returns-cqrs-openobserve"),
        ("linux", {"HOME": "/home/a", "XDG_STATE_HOME": "/s"}, "/s/returns-cqrs-openobserve"),
        (
            "linux",
            {"HOME": "/home/a", "XDG_STATE_HOME": "s"},
            "/home/a/.local/state/returns-cqrs-openobserve",
        ),
        ("darwin", {"HOME": "/Users/a"}, "/Users/a/Library/Application Support/returns-cqrs-openobserve"),
        ("linux", {"HOME": "relative"}, None),
        ("linux", {}, None),
    ],
)
def test_it_is_in_the_users_directory_for_state(
    monkeypatch: pytest.MonkeyPatch, platform: str, env: dict[str, str], root: str | None
) -> None:
    """By the rules of the system; nowhere if there is no such directory."""
    monkeypatch.setattr(sys, "platform", platform)
    assert place(**env).root == (None if root is None else Path(root))


def test_what_is_set_wins() -> None:
    """A directory, or none for memory only."""
    assert place("/var/spool/x", HOME="/home/a") == SpoolPlace(Path("/var/spool/x"), place().destination, 5)
    assert place("none", HOME="/home/a").root is None


def test_each_destination_has_its_own() -> None:
    """Records of one organisation or server are never found by another's process; the name tells neither."""
    other = spool_place("", 5, {}, parse_endpoint("http://localhost:5081"), "default")
    names = {place().destination, place(organization="other").destination, other.destination}
    assert len(names) == 3
    assert all(name.isalnum() and len(name) == 16 for name in names)
