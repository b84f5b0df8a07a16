from typing import Any

import attrs
from returns.result import Result, Success

from cqrs import Command, Event, EventBus, Feature, Query
from cqrs.describe import AppDescription
from cqrs.mermaid import handlers_mermaid


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


@attrs.frozen
class Find(Query[int, str]):
    """A query."""


@attrs.frozen
class Placed(Event):
    """An event that somebody hears."""


@attrs.frozen
class Unheard(Event):
    """An event that nobody hears."""


async def place(_command: Place, *, events: EventBus) -> Result[int, str]:
    await events.publish(Placed())
    await events.publish(Unheard())
    return Success(1)


async def find(_query: Find) -> Result[int, str]:
    return Success(1)


async def receive(_event: Placed) -> Result[None, str]:
    return Success(None)


def test_messages_lead_to_handlers_and_handlers_to_the_events_they_name(compose_app: Any) -> None:
    """One box per kind; solid lines from message to handler, dotted ones to what a handler may publish."""
    feature = Feature("orders")
    feature.handles(Place)(place)
    feature.handles(Find)(find)
    feature.subscribes(Placed, name='send "receipt" <now>')(receive)

    drawn = handlers_mermaid(compose_app(feature).check().unwrap())

    assert (
        drawn
        == """flowchart LR
  subgraph commands
    c0["Place"]
    h0("place")
    c0 --> h0
  end
  subgraph queries
    q1["Find"]
    h1("find")
    q1 --> h1
  end
  subgraph events
    e2{{"Placed"}}
    e3{{"Unheard"}}
    h2("send #quot;receipt#quot; #lt;now#gt;")
    e2 --> h2
  end
  h0 -.-> e2
  h0 -.-> e3"""
    )


def test_an_empty_app_is_an_empty_picture() -> None:
    """Without handlers there are no boxes."""
    assert handlers_mermaid(AppDescription((), ())) == "flowchart LR"
