import os
import subprocess
import sys

import attrs
import pytest

from cqrs.claimants import Claimant


def test_this_process_is_there() -> None:
    """A process knows that it has not ended, and is read back from what is written of it."""
    here = Claimant.here()

    assert here.pid == os.getpid()
    assert not here.has_ended()
    assert Claimant.read(str(here)) == here


def test_a_process_that_was_killed_has_ended() -> None:
    """Its number is enough to tell, once it is gone."""
    code = "import sys; from cqrs.claimants import Claimant; print(Claimant.here(), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        claimant = Claimant.read(process.stdout.readline().rstrip("\n"))
        assert (claimant.pid, claimant.has_ended()) == (process.pid, False)
        process.kill()
        process.wait()

    assert claimant.has_ended()


def test_another_process_of_the_same_number_is_not_taken_for_it() -> None:
    """A number that was given to another process since means that the first has ended."""
    assert attrs.evolve(Claimant.here(), began="1").has_ended()


def test_where_it_cannot_be_known_it_is_not_said() -> None:
    """A process on another machine, or one whose beginning nobody wrote down, may still be there."""
    here = Claimant.here()

    assert not attrs.evolve(here, machine="elsewhere", pid=2**22 + 1).has_ended()
    assert not attrs.evolve(here, began="").has_ended()


@pytest.mark.parametrize("text", ["", "abc", "-1 2 here", "\u0661 2 here"])
def test_anything_else_is_nobody(text: str) -> None:
    """What no claimant has written is no reason to take a letter from anybody."""
    assert not Claimant.read(text).has_ended()
