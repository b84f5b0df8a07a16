"""What processes have written down: their books, read back and judged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.processes import ProcessFacts, judge, look

Configure = Callable[..., Configuration]
NOW = 1_800_000_000_000_000
BOOKS = {"accepted": 10, "delivered": 10, "waiting": 0, "spooled": 0, "dropped": {}}
HEALTH: dict[str, Any] = {
    "version": 1,
    "pid": 7,
    "service": "shop",
    "url": "http://h",
    "organization": "default",
    "written_at_us": NOW - 3_000_000,
    "signals": {"logs": BOOKS},
    "outages": {},
    "trouble": "",
}


def judged(health: dict[str, Any], *, ours: bool = True) -> tuple[str, str, str]:
    (line,) = judge((ProcessFacts("/s/d/7-x/health.json", ours, health),), NOW)
    return line.status, line.text, line.fix


def test_a_process_that_delivers_is_told() -> None:
    """With whose books they are and how old."""
    assert judged(HEALTH) == (
        "ok",
        "process 7 (shop), 3 s ago: logs accepted 10, delivered 10, waiting 0",
        "",
    )


def test_no_process_is_no_trouble() -> None:
    """Nothing runs, or nothing is spooled."""
    (line,) = judge((), NOW)
    assert line.status == "ok"


@pytest.mark.parametrize(
    ("changed", "status", "text", "fix"),
    [
        (
            {"signals": {"logs": BOOKS | {"dropped": {"rejected_record": 2}}}, "trouble": "odd; see"},
            "fail",
            "lost: 2 rejected_record",
            "odd; see",
        ),
        ({"signals": {"logs": BOOKS | {"dropped": {"fork_discard": 2}}}}, "ok", "accepted 10", ""),
        ({"outages": {"logs": "refused\x1b[2J"}}, "fail", "takes nothing: logs refused [2J", "verify"),
        ({"version": 9}, "warn", "cannot be read", "another version"),
        ({"written_at_us": "x"}, "warn", "cannot be read", ""),
        ({"signals": []}, "ok", "nothing observed yet", ""),
    ],
    ids=["lost", "forked", "outage", "version", "time", "shape"],
)
def test_what_went_wrong_is_told(changed: dict[str, Any], status: str, text: str, fix: str) -> None:
    """With the process's own word on what to do."""
    found = judged(HEALTH | changed)
    assert found[0] == status
    assert text in found[1]
    assert fix in found[2]


def test_a_process_that_sends_elsewhere_is_told() -> None:
    """It was started with other variables."""
    status, text, _ = judged(HEALTH, ours=False)
    assert status == "warn"
    assert "http://h, organisation default, which is not what these variables say" in text


def test_a_process_that_ended_elsewhere_is_no_trouble() -> None:
    """Its file is old."""
    assert judged(HEALTH | {"written_at_us": NOW - 10**9}, ours=False)[0] == "ok"


def test_files_are_read_where_the_spool_is(configure: Configure, tmp_path: Path) -> None:
    """Bounded, no links followed, damaged ones told."""
    configuration = configure(spool_dir=str(tmp_path))
    contents = {
        configuration.spool.destination: orjson.dumps(HEALTH),
        "other": b"{",
        "large": b"[" + b" " * 2_000_000 + b"]",
    }
    for destination, content in contents.items():
        folder = tmp_path / destination / "7-x"
        folder.mkdir(parents=True)
        (folder / "health.json").write_bytes(content)
    (tmp_path / "link" / "8-x").mkdir(parents=True)
    (tmp_path / "link" / "8-x" / "health.json").symlink_to(
        tmp_path / configuration.spool.destination / "7-x" / "health.json"
    )

    found = {Path(each.path).parent.parent.name: each for each in look(configuration)}
    assert found[configuration.spool.destination] == ProcessFacts(
        str(tmp_path / configuration.spool.destination / "7-x" / "health.json"), ours=True, health=HEALTH
    )
    assert [found[name].health for name in ("other", "large", "link")] == [{}, {}, {}]
    assert look(configure(spool_dir="none")) == ()
