from returns.result import Failure

from cqrs.faults import AppClosed
from cqrs.unanswered import answer_with, not_found


class PlaceOrder:
    """A message by its name alone."""


class PlaceOrders:
    """A message by its name alone."""


class PlaceOffer:
    """A message by its name alone."""


class CancelOrder:
    """A message by its name alone."""


class Bulk:
    """A message by its name alone."""


def test_the_nearest_names_are_told_best_first() -> None:
    """At most three registered names that resemble the message's are listed, with their modules."""
    fault = not_found(PlaceOrder(), [Bulk, CancelOrder, PlaceOffer, PlaceOrders])

    assert fault.message_type == f"{__name__}.PlaceOrder"
    assert fault.nearest == tuple(
        f"{__name__}.{name}" for name in ["PlaceOrders", "PlaceOffer", "CancelOrder"]
    )
    assert "feature.handles(PlaceOrder)" in fault.hint


def test_a_name_unlike_any_other_has_no_neighbours() -> None:
    """Nothing is suggested where nothing is near."""
    assert not_found(PlaceOrder(), [Bulk]).nearest == ()
    assert not_found(PlaceOrder(), []).nearest == ()


def test_a_class_of_the_same_name_elsewhere_is_the_nearest() -> None:
    """A message of the same name in another module is told apart by its module."""
    other = type("PlaceOrder", (), {"__module__": "old.orders", "__qualname__": "PlaceOrder"})

    assert not_found(PlaceOrder(), [other]).nearest == ("old.orders.PlaceOrder",)


async def test_a_fault_is_an_answer() -> None:
    """The fault comes back as a Failure."""
    assert await answer_with(AppClosed("query")) == Failure(AppClosed("query"))
