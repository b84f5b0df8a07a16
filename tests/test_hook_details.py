import attrs
import pytest
from returns.result import Success

from cqrs import Delivery, HandlerInfo, MessageContext
from cqrs.hook_details import (
    AppDetails,
    DeadLetteredDetails,
    DeliveredDetails,
    PublishDetails,
    RefreshedDetails,
    RetriedDetails,
)

INFO = HandlerInfo("event", object, "OrderPlaced", "shop.send", "shop.py:1", "send")
CONTEXT = MessageContext().begin()
DETAILS = [
    PublishDetails(object, "OrderPlaced", 1, 0, 5, CONTEXT),
    DeliveredDetails(INFO, Delivery("send", Success(1)), CONTEXT),
    RetriedDetails(INFO, 1, 0.5, TimeoutError(), CONTEXT),
    DeadLetteredDetails(INFO, "1", None, 3, TimeoutError(), parked=True, context=CONTEXT),
    RefreshedDetails(INFO, "stale", "success", 5),
    AppDetails((INFO,), ("openobserve",), 5),
]


@pytest.mark.parametrize("details", DETAILS, ids=lambda details: type(details).__name__)
def test_details_are_frozen(details: attrs.AttrsInstance) -> None:
    """An instrument cannot change what the next one hears."""
    for field in attrs.fields(type(details)):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(details, field.name, None)
