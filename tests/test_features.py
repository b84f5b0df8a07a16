from typing import Any

import attrs
from returns.result import Result, Success

from cqrs import Command, Event, Feature
from cqrs.features import flatten


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Placed(Event):
    """An event."""


class Handler:
    """A class handler."""

    async def __call__(self, _command: Place) -> Result[int, str]:
        """Handle."""
        return Success(1)


async def place(_message: Any) -> Result[int, str]:
    return Success(1)


def test_a_feature_keeps_its_declarations_in_order() -> None:
    """What was declared stands with its options, in the order of declaration."""
    feature = Feature("orders")
    feature.handles(Place, timeout=2.0)(place)
    feature.subscribes(Placed, name="mail", timeout=0.5)(place)
    feature.provides(Handler)
    feature.provides(dict, dict)

    (handling,), (subscribing,) = feature.handlings, feature.subscribings
    assert (handling.message, handling.handler, handling.options.timeout) == (Place, place, 2.0)
    assert (subscribing.events, subscribing.name, subscribing.timeout) == ((Placed,), "mail", 0.5)
    assert [p.service for p in feature.providings] == [Handler, dict]
    assert feature.providings[0].factory is Handler
    assert repr(feature) == "Feature('orders')"


def test_a_subscriber_may_name_many_events() -> None:
    """One declaration takes any number of events."""
    events = [type(f"Event{number}", (Event,), {}) for number in range(6)]
    feature = Feature("many")
    feature.subscribes(*events)(place)

    assert feature.subscribings[0].events == tuple(events)


def test_features_have_nothing_in_common() -> None:
    """A second feature of the same name starts empty."""
    Feature("orders").handles(Place)(place)

    assert Feature("orders").handlings == []


def test_imported_features_come_once_and_first() -> None:
    """Each feature stands once, after what it imports, however often it is reached."""
    base, left, right, top = (Feature(name) for name in ["base", "left", "right", "top"])
    left.imports(base)
    right.imports(base)
    top.imports(left, right)

    assert flatten((top, base, top)) == (base, left, right, top)


def test_features_may_import_one_another() -> None:
    """A ring of imports is walked once."""
    one, two = Feature("one"), Feature("two")
    one.imports(two)
    two.imports(one)

    assert flatten((one,)) == (two, one)
    assert flatten((two, one)) == (one, two)
