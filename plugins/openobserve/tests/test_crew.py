"""The threads of a pipeline."""

import threading
from collections.abc import Iterator

import pytest
from cqrs_openobserve.crew import Crew


class Work:
    """Steps that end when told, and what became of them."""

    def __init__(self) -> None:
        self.ending = threading.Event()
        self.failures: list[BaseException] = []
        self.crew = Crew({"one": self.step, "two": self.step}, self.failures.append)

    def step(self) -> bool:
        """Wait for the end."""
        return not self.ending.wait(0.01)


@pytest.fixture
def work() -> Iterator[Work]:
    made = Work()
    yield made
    made.ending.set()
    for name in ("one", "two"):
        made.crew.join(name, 5)


def names() -> list[str]:
    alive = (thread.name for thread in threading.enumerate())
    return sorted(name for name in alive if name.startswith("cqrs-openobserve-"))


def test_threads_start_once(work: Work) -> None:
    """However often it is asked for."""
    assert not work.crew.complete
    assert work.crew.start()
    assert work.crew.start()
    assert names() == ["cqrs-openobserve-one", "cqrs-openobserve-two"]
    assert (work.crew.complete, work.crew.started, work.crew.restarts) == (True, True, 0)


def test_a_thread_that_died_is_replaced_and_counted(work: Work) -> None:
    """Whatever killed it; the other one goes on."""
    work.crew.start()
    thread = work.crew._threads["one"]
    thread._step = lambda: False
    thread.join(5)
    assert not work.crew.complete
    assert work.crew.start()
    assert (work.crew.complete, work.crew.restarts) == (True, 1)
    assert len(names()) == 2


def test_a_thread_that_cannot_start_is_tried_again(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the next call; nothing is raised."""

    def refusing(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refusing)
        assert not work.crew.start()
    work.crew.join("one", 1)
    assert (work.crew.started, names()) == (False, [])
    assert work.crew.start()
    assert work.crew.restarts == 0
