"""Files that outlive their process."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cqrs_openobserve.payloads import Payload, json_payloads
from cqrs_openobserve.spool import MOST_REJECTED, Spool
from cqrs_openobserve.spool_files import SpoolFile
from cqrs_openobserve.spool_place import SpoolPlace

WALL = 1_795_000_000_000_000_000
HOUR = 3600 * 10**9
Make = Callable[..., Spool]


def payload(records: int = 2) -> Payload:
    return next(json_payloads("cqrs_commands", [(b'{"a":1}', 5)] * records))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes spools of one destination, as processes have them."""

    def make(destination: str = "d", most_bytes: int = 10**6) -> Spool:
        return Spool(SpoolPlace(tmp_path / "spool", destination, most_bytes))

    return make


def kept(spool: Spool, records: int = 2, wall: int = WALL) -> SpoolFile:
    file = spool.write(payload(records), wall)
    assert isinstance(file, SpoolFile), file
    return file


def test_what_is_kept_is_read_and_removed(make: Make) -> None:
    """As a whole; nothing of it stays behind."""
    spool = make()
    file = kept(spool)
    back = spool.read(file, 5)
    assert back is not None
    assert (back.body, back.records, back.oldest_ns) == (payload().body, 2, 5)
    assert spool.used == file.size > 0
    spool.remove(file)
    assert spool.read(file, 5) is None
    assert spool.used == 0
    spool.close()


def test_nobody_else_can_read_it(make: Make) -> None:
    """0600 in 0700, whatever the mask is."""
    mask = os.umask(0)
    try:
        file = kept(make())
    finally:
        os.umask(mask)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert file.path.parent.parent.stat().st_mode & 0o777 == 0o700


def test_what_a_dead_process_left_is_adopted_the_oldest_first(make: Make) -> None:
    """Once, by one; its directory goes."""
    dead, heir, late = make(), make(), make()
    young, old = kept(dead, 1, WALL), kept(dead, 4, WALL - HOUR)
    assert heir.adopt(WALL, 5 * HOUR) == [], "it lives"
    dead.close()
    adopted = heir.adopt(WALL, 5 * HOUR)

    assert [(file.records, file.age_ns) for file in adopted] == [(4, HOUR), (1, 0)]
    assert heir.used == young.size + old.size
    assert heir.read(adopted[0], 0) is not None
    assert not old.path.parent.exists()
    assert late.adopt(WALL, 5 * HOUR) == []
    heir.close()
    late.close()


def test_another_destinations_files_are_left_alone(make: Make) -> None:
    """Records never travel to another server or organisation."""
    dead = make("a")
    kept(dead)
    dead.close()
    assert make("b").adopt(WALL, 5 * HOUR) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from cqrs_openobserve.payloads import json_payloads
from cqrs_openobserve.spool import Spool
from cqrs_openobserve.spool_place import SpoolPlace
spool = Spool(SpoolPlace(Path(sys.argv[1]), "d", 10**6))
for _ in range(3):
    spool.write(next(json_payloads("s", [(b"{}", 5)] * 7)), 1)
(spool.home / ".half-written").write_bytes(b"x")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_its_files(make: Make, tmp_path: Path) -> None:
    """The lock ends with it; what it was writing when it died is no payload."""
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "spool")], check=False)
    heir = make()
    adopted = heir.adopt(WALL, 2 * WALL)
    assert [file.records for file in adopted] == [7, 7, 7]
    assert all(heir.read(file, 0) is not None for file in adopted)
    heir.close()


def test_it_holds_no_more_than_its_size(make: Make) -> None:
    """What does not fit is refused with the reason, and there is room again when something went."""
    spool = make(most_bytes=400)
    first = kept(spool)
    while isinstance(spool.write(payload(), WALL), SpoolFile):
        pass
    assert spool.write(payload(), WALL) == "spool_full"
    assert "OPENOBSERVE_SPOOL_SIZE" in spool.problem
    assert spool.used <= 400
    spool.remove(first)
    assert isinstance(spool.write(payload(), WALL), SpoolFile)
    assert spool.problem == ""


def test_what_does_not_fit_is_adopted_later_and_what_is_too_old_at_once(make: Make) -> None:
    """Old files are adopted to be counted; the others wait where they are, for a process with room."""
    dead = make()
    for age in (0, 0, 9 * HOUR):
        kept(dead, 2, WALL - age)
    dead.close()
    heir = make(most_bytes=kept(make()).size * 2)
    first = heir.adopt(WALL, 5 * HOUR)
    assert [file.age_ns for file in first] == [9 * HOUR, 0]
    for file in first:
        heir.remove(file)
    assert [file.age_ns for file in heir.adopt(WALL, 5 * HOUR)] == [0]


def test_an_empty_directory_goes_with_its_process(make: Make) -> None:
    """Nothing is left of a process that delivered everything; after the end nothing is made again."""
    spool = make()
    spool.write_health(b"{}")
    home = spool.home
    assert home is not None
    assert (home / "health.json").read_bytes() == b"{}"
    spool.close()
    spool.close()
    assert not home.exists()
    assert spool.write(payload(), WALL) == "spool_error"


def test_a_directory_that_somebody_removed_is_made_again(make: Make) -> None:
    """What was in it is gone and noticed when it is read."""
    spool = make()
    file = kept(spool)
    for path in file.path.parent.iterdir():
        path.unlink()
    file.path.parent.rmdir()
    assert spool.read(file, 0) is None
    again = kept(spool)
    assert spool.read(again, 0) is not None
    spool.remove(file)
    assert spool.used >= 0


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """Nothing is raised: a file where the directory should be, a directory that all may write to."""
    (tmp_path / "file").write_text("")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    for root in (tmp_path / "file", tmp_path / "open"):
        spool = Spool(SpoolPlace(root, "d", 10**6))
        assert spool.write(payload(), WALL) == "spool_error"
        assert str(root) in spool.problem
        assert spool.adopt(WALL, 1) == []
        spool.keep_rejected(payload(), WALL)
        spool.write_health(b"{}")
        spool.close()


def test_without_a_place_nothing_is_written() -> None:
    """Memory only."""
    spool = Spool(SpoolPlace(None, "d", 10**6))
    assert not spool.enabled
    assert spool.write(payload(), WALL) == "spool_error"
    assert (spool.adopt(WALL, 1), spool.problem) == ([], "")


def test_refused_records_are_kept_for_people(make: Make) -> None:
    """The last hundred of a destination, over all its processes."""
    spool = make()
    for number in range(MOST_REJECTED + 5):
        spool.keep_rejected(payload(1), WALL + number)
    assert spool.home is not None
    names = sorted(path.name for path in (spool.home.parent / "rejected").iterdir())
    assert len(names) == MOST_REJECTED
    assert names[0].startswith(f"{WALL + 5:020d}-1-logs-")
    spool.close()
    assert make().adopt(WALL, 1) == [], "they are not sent again"


def test_a_forked_childs_spool_is_not_its_parents(make: Make) -> None:
    """The child forgets the directory; the parent keeps it and its lock."""
    spool, other = make(), make()
    file = kept(spool)
    twin = make()
    twin._home, twin._lock = spool._home, spool._lock
    duplicate = os.dup(spool._lock._descriptor) if spool._lock is not None else -1
    twin._lock = type(spool._lock)(duplicate)
    twin.abandon()
    assert other.adopt(WALL, 1) == []
    assert kept(twin).path.parent != file.path.parent
    for each in (spool, other, twin):
        each.close()


def test_a_full_disk_is_an_error_that_leaves_nothing_behind(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is whole or not there."""
    spool = make()
    assert spool.open()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", full)
        assert spool.write(payload(), WALL) == "spool_error"
    assert "No space left" in spool.problem
    assert spool.home is not None
    assert [path.name for path in spool.home.iterdir()] == ["lock"]


MOUNTED = 'mount -t tmpfs -o size=1m tmpfs "$1" && shift && exec "$@"'
FILLS = """
import json, os, resource, sys
from pathlib import Path
from cqrs_openobserve.payloads import JSON, Payload
from cqrs_openobserve.spool import Spool
from cqrs_openobserve.spool_place import SpoolPlace

if sys.argv[2] == "limited":
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
spool, kept = Spool(SpoolPlace(Path(sys.argv[1], "spool"), "d", 10**9)), []
large = Payload("logs", "/s/_json", JSON, os.urandom(50_000), 1, 0)
while not isinstance(file := spool.write(large, 1), str):
    kept.append(file)
read = [spool.read(each, 0).body == large.body for each in kept]
problem, names = spool.problem, [path.name for path in spool.home.iterdir()]
if kept:
    spool.remove(kept.pop())
again = spool.write(Payload("logs", "/s/_json", JSON, b"x", 1, 0), 1)
print(json.dumps({"reason": file, "read": read, "problem": problem, "names": names, "again": not isinstance(again, str)}))
spool.close()
"""


def test_a_disk_that_is_full_indeed(tmp_path: Path) -> None:
    """A file system of 1 MiB: what was kept is whole, what was not leaves nothing, and with room it goes on.

    On a machine that lets nobody mount one, a limit to the size of files refuses in its place.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh", str(disk)]
    program = [sys.executable, "-c", FILLS, str(disk)]
    can_mount = shutil.which("unshare") is not None and not subprocess.call([*alone, "true"])
    command = [*alone, *program, "mounted"] if can_mount else [*program, "limited"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    told = json.loads(done.stdout)
    assert (told["reason"], told["again"]) == ("spool_error", True)
    assert told["problem"].endswith("No space left on device" if can_mount else "File too large")
    assert all(told["read"])
    assert len(told["read"]) >= (15 if can_mount else 0)
    assert sum(name.endswith(".payload") for name in told["names"]) == len(told["read"])
    assert not [name for name in told["names"] if name.startswith(".")]
