import attrs
import pytest

from cqrs.faults import (
    AppClosed,
    BusDisabled,
    ContractBroken,
    Fault,
    HandlerCrashed,
    HandlerNotFound,
    ParkedBehind,
    QueueFull,
    Refused,
    Rejection,
    TimedOut,
    is_rejection,
    is_transient,
)


@attrs.frozen
class Forbidden(Rejection):
    """A correct no."""

    user: str


CRASH = HandlerCrashed("A", "shop.a", "handler", "builtins.ValueError", "no", "Traceback …", ValueError("no"))
FAULTS = [
    HandlerNotFound("shop.A", ("shop.B",), "register one."),
    CRASH,
    ContractBroken("A", "shop.a", "int", "return Success(value) or Failure(error)."),
    TimedOut("shop.a", 2.0),
    BusDisabled("event"),
    AppClosed("command"),
    QueueFull("events", 1024),
    ParkedBehind("mail", "order-1"),
    Refused(Forbidden("ann")),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_every_fault_is_caught_as_one(fault: Fault) -> None:
    """`case Fault()` matches each of them, and each is a frozen value without a dictionary."""
    match fault:
        case Fault():
            caught = True

    assert caught
    assert not hasattr(fault, "__dict__")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        fault.text = "changed"  # type: ignore[attr-defined]  # the name is made at run time


def test_no_fault_is_a_subclass_of_another() -> None:
    """Faults are told apart by class, so each derives from the base alone."""
    assert all(type(fault).__bases__ == (Fault,) for fault in FAULTS)
    own = {fault for fault in Fault.__subclasses__() if fault.__module__ == Fault.__module__}
    assert {type(fault) for fault in FAULTS} == own  # dead letters have faults of their own


@pytest.mark.parametrize(
    ("error", "rejection"),
    [
        (Forbidden("ann"), True),
        (Refused(Forbidden("ann")), True),
        (CRASH, False),
        ("text", False),
        (None, False),
        (ValueError("no"), False),
        (Forbidden, False),
    ],
    ids=str,
)
def test_a_rejection_is_told_from_a_failure(error: object, *, rejection: bool) -> None:
    """A Rejection, and the refusal that carries one, is a correct no; all else is an operation that failed."""
    assert is_rejection(error) is rejection


def test_a_crash_prints_without_its_traceback() -> None:
    """The traceback has its own field and stays out of the one-line form; two equal crashes are equal."""
    assert "Traceback" not in repr(CRASH)
    assert attrs.evolve(CRASH, exception=ValueError("no")) == CRASH
    assert hash(CRASH) == hash(attrs.evolve(CRASH, exception=ValueError("other")))


@attrs.frozen
class Says:
    """An error of a user's that says of itself whether it may pass."""

    transient: object


class MaintenanceError(ConnectionError):
    """A broken connection that will not come back by itself."""

    transient = False


class Raising:
    """An error whose attribute cannot be read."""

    @property
    def transient(self) -> bool:
        """Refuse to say."""
        raise ValueError("no")


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (TimedOut("shop.a", 2.0), True),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (Says(transient=True), True),
        (Says(transient=False), False),
        (Says(transient="yes"), False),
        (MaintenanceError(), False),
        (Raising(), False),
        (attrs.evolve(CRASH, exception=TimeoutError()), True),
        (attrs.evolve(CRASH, exception=MaintenanceError()), False),
        (CRASH, False),
        (AppClosed("command"), False),
        (Refused(Forbidden("ann")), False),
        (OSError(), False),
        ("timed out", False),
        (None, False),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_by_itself_is_told_from_a_bug(error: object, *, transient: bool) -> None:
    """Time-outs, broken connections and errors that say so are transient, also as the cause of a crash; a bug is not."""
    assert is_transient(error) is transient
