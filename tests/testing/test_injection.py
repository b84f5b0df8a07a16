"""Faults of what is outside, as values."""

import pytest
from returns.result import Failure

from cqrs.testing import fail_nth
from cqrs.testing.injection import InjectedFault


@pytest.mark.parametrize(
    ("persistent", "struck"), [(False, [False, True, False]), (True, [False, True, True])]
)
def test_the_nth_call_is_struck(*, persistent: bool, struck: list[bool]) -> None:
    """That one, or from it on."""
    fault = fail_nth("store.put", 2, persistent=persistent)

    assert [fault.strikes(call) for call in (1, 2, 3)] == struck


def test_a_fault_that_is_not_said_tells_what_it_is() -> None:
    """A traceback with it cannot be taken for a real one."""
    fault = fail_nth("store.put", 2)

    assert isinstance(fault.error, InjectedFault)
    assert str(fault.error) == "call 2 of store.put was made to fail"


def test_a_failure_is_kept_as_it_is() -> None:
    """It is what the call answers."""
    assert fail_nth("store.get", 1, Failure("broken")).error == Failure("broken")
