"""Directories: who owns them, who may write, what waits in them."""

import os
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.files import (
    DirectoryFacts,
    SpoolFacts,
    caches,
    directory,
    filesystem_of,
    judge_directory,
    judge_spool,
    spool,
)
from cqrs_openobserve.doctor.lines import Setting
from cqrs_openobserve.payloads import json_payloads
from cqrs_openobserve.spool import Spool

Configure = Callable[..., Configuration]
PRIVATE = DirectoryFacts(
    "/s",
    exists=True,
    is_directory=True,
    mine=True,
    mode=0o700,
    writable=True,
    filesystem="ext4",
    free_bytes=2**40,
)
MOUNTS = "/dev/a / ext4 rw 0 0\nserver:/x /srv/share nfs4 rw 0 0\nbroken\n/dev/b /srv\\040x xfs rw 0 0\n"


@pytest.mark.parametrize(
    ("changed", "status", "text", "fix"),
    [
        ({}, "ok", "is private (mode 0700), on ext4", ""),
        ({"mode": 0o777}, "fail", "has mode 0777: others may write to it", "chmod 700 /s"),
        ({"mode": 0o720}, "fail", "mode 0720", "chmod 700 /s"),
        ({"mine": False}, "fail", "belongs to somebody else", "export A="),
        ({"is_link": True, "is_directory": False}, "fail", "is a symbolic link", "export A="),
        ({"is_directory": False}, "fail", "is no directory", "export A="),
        ({"writable": False}, "fail", "may not be written to", "chmod"),
        ({"problem": "Permission denied"}, "fail", "cannot be looked at: Permission denied", "export A="),
        ({"filesystem": "nfs4"}, "warn", "network file system (nfs4)", "local"),
        ({"exists": False}, "ok", "not there yet and will be made", ""),
        ({"exists": False, "writable": False}, "fail", "may not be made by this user", "export A="),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_directory_is_judged_by_what_may_happen_to_it(
    changed: dict[str, object], status: str, text: str, fix: str
) -> None:
    """Only what nobody else can write to is used."""
    facts = attrs.evolve(PRIVATE, **changed)  # type: ignore[arg-type]  # of the fields' types
    if not facts.exists:
        facts = attrs.evolve(facts, is_directory=False, mine=False, mode=0)
    line = judge_directory("spool", facts, "A")
    assert line.status == status
    assert text in line.text
    assert fix in line.fix


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/home/x", "ext4"), ("/srv/share/a", "nfs4"), ("/srv/shared", "ext4"), ("/srv x/a", "xfs")],
)
def test_the_file_system_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    """Not of one whose name only begins alike."""
    assert filesystem_of(Path(path), MOUNTS) == kind
    assert filesystem_of(Path(path), "") == ""


def test_real_directories_are_looked_at_and_left_alone(tmp_path: Path) -> None:
    """What is there, a link, and what could be made."""
    (tmp_path / "there").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "there")
    there, link, missing = (directory(tmp_path / name) for name in ("there", "link", "missing/below"))
    assert (there.is_directory, there.mine, there.mode, there.writable) == (True, True, 0o700, True)
    assert there.free_bytes > 0
    assert link.is_link
    assert (missing.exists, missing.writable) == (False, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there"]


def test_what_waits_and_what_was_refused_is_counted(configure: Configure, tmp_path: Path) -> None:
    """From names and sizes of files; the spool is as it was."""
    configuration = configure(spool_dir=str(tmp_path))
    kept = Spool(configuration.spool)
    (payload,) = json_payloads("cqrs_commands", [(b"{}", 0)])
    kept.write(payload, 10**18)
    kept.keep_rejected(payload, 10**18)
    before = sorted(tmp_path.rglob("*"))
    facts = spool(configuration)

    assert (facts.waiting, len(facts.rejected)) == (1, 1)
    assert facts.waiting_bytes > 0
    assert sorted(tmp_path.rglob("*")) == before
    lines = {line.name: line for line in judge_spool(configuration, facts)}
    assert lines["waiting"].status == "warn"
    assert lines["rejected"].status == "fail"
    assert str(tmp_path) in lines["rejected"].text
    assert lines["lock"].text == "1 running processes hold their part of the spool"
    kept.close()
    assert spool(configuration).held == 0


def test_a_spool_without_room_is_a_warning(configure: Configure) -> None:
    """On the disk, or in what it may take."""
    configuration = configure(spool_dir="/s", spool_size="1GiB")
    full = SpoolFacts(attrs.evolve(PRIVATE, free_bytes=2**20))
    used = SpoolFacts(PRIVATE, 1, 900 * 2**20)
    assert "1 MiB are free" in judge_spool(configuration, full)[1].text
    assert "900 of 1024 MiB" in judge_spool(configuration, used)[1].text


def test_locks_that_do_not_work_are_told(configure: Configure) -> None:
    """As on some network file systems."""
    facts = SpoolFacts(PRIVATE, lock_problem="No locks available")
    line = next(each for each in judge_spool(configure(spool_dir="/s"), facts) if each.name == "lock")
    assert line.status == "warn"
    assert "No locks available" in line.text


def test_no_spool_is_a_choice_or_a_warning(configure: Configure) -> None:
    """``none`` was written by somebody; no home directory was not."""
    chosen = configure(spool_dir="none")
    (line,) = judge_spool(chosen, spool(chosen))
    assert line.status == "ok"
    homeless = attrs.evolve(chosen, settings=attrs.evolve(chosen.settings, spool_dir=""))
    (line,) = judge_spool(homeless, spool(homeless))
    assert line.status == "warn"


def test_caches_of_other_plugins_are_looked_at(tmp_path: Path) -> None:
    """By the variable that names them."""
    named = Setting("CQRS_SWR_DIR", str(tmp_path), "CQRS_SWR_DIR")
    assert [each.path for each in caches((named, Setting("CQRS_SWR_TTL", "1", "default")))] == [str(tmp_path)]
    assert caches((Setting("CQRS_SWR_DIR", "None", "default"),)) == ()


def test_what_may_not_be_looked_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory above that this user may not enter."""

    def denied(_: Path) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "lstat", denied)
    assert directory(tmp_path).problem == "Permission denied"
