"""Exit, fork and supervision: what has to happen to a pipeline that nobody stopped."""

import atexit
import contextlib
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol, final


class Living(Protocol):
    """What the life of the process concerns."""

    def stop(self) -> object:
        """Send what can be sent in time; idempotent."""
        ...

    def begin_anew(self) -> None:
        """Be a new one in a forked child."""
        ...


_living: Final["weakref.WeakSet[Living]"] = weakref.WeakSet()
_stopped_by_others: Final["weakref.WeakSet[Living]"] = weakref.WeakSet()
_installed = threading.Event()


def watch(living: Living) -> None:
    """Stop it at exit and begin it anew in forked children.

    Args:
        living: held weakly.
    """
    if not _installed.is_set():
        _installed.set()
        atexit.register(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_in_child)
    _living.add(living)


def leave_the_end_to_others(living: Living) -> None:
    """Do not stop it at exit, because what fills it does so, and only after it has handed over the rest.

    Args:
        living: what is stopped by what fills it.
    """
    _stopped_by_others.add(living)


def finish_with_process() -> None:
    """Stop everything at the end of a child of multiprocessing, which runs no atexit; nothing elsewhere."""
    # Not at the fork itself: a child's bootstrap forgets the finalisers that exist before it runs its target.
    process, util = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "util"))
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _at_end_of_child, exitpriority=0)


def install_signal_flush(*numbers: int) -> None:
    """Let a signal that ends the program stop telemetry first, as an exit does; call it in the main thread.

    A signal for which somebody else has set a handler stays that handler's: it ends the program in its own way, and
    the exit stops telemetry. Set it up after a server that handles signals itself, such as uvicorn, if at all.

    Args:
        numbers: the signals; ``SIGTERM`` if none is given.
    """
    for number in numbers or (signal.SIGTERM,):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop_and_die)


def _stop_and_die(number: int, frame: FrameType | None) -> None:
    del frame
    try:
        _at_exit()
    finally:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def tell(line: str) -> None:
    """Write one line to standard error, if there is one."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # closed: nobody is there to read it
            print(line, file=sys.stderr, flush=True)  # noqa: T201  # the one line at exit


@final
class Supervised:
    """A daemon thread that repeats a step until it says stop, and survives the step's failures.

    Args:
        name: the thread's name.
        step: does one round; False ends the thread.
        failed: told of a step that raised; must not raise.
    """

    def __init__(self, name: str, step: Callable[[], bool], failed: Callable[[BaseException], None]) -> None:
        self._step = step
        self._failed = failed
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait for its end.

        Args:
            seconds: how long at most.
        """
        if self._thread is not threading.current_thread():
            self._thread.join(max(0.0, seconds))

    def _run(self) -> None:
        while True:
            try:
                if not self._step():
                    return
            except BaseException as error:  # noqa: BLE001  # nobody else would hear of it; it is counted and said
                self._failed(error)


def _at_exit() -> None:
    for living in list(_living):
        if living not in _stopped_by_others:
            living.stop()


def _at_end_of_child() -> None:
    for living in list(_living):
        living.stop()


def _in_child() -> None:
    for living in list(_living):
        living.begin_anew()
