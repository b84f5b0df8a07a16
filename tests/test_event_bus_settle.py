from typing import Any

import attrs
import pytest
from returns.result import Failure, Result, Success

from cqrs import Event, Feature, HandlerInfo, Next, Query
from cqrs.plugins import Plugin, PluginBuilder


@attrs.frozen
class Placed(Event):
    """An event that makes something invalid."""

    order: int


@attrs.frozen
class PlacedAsGift(Placed):
    """An event of a subclass."""


@attrs.frozen
class Cancelled(Event):
    """An event that does not."""


@attrs.frozen
class Find(Query[str, str]):
    """A query."""


class Cache(Plugin):
    """A plugin that notes what events make invalid."""

    name = "cache"

    def __init__(self) -> None:
        self.steps: list[str] = []

    def configure(self, builder: PluginBuilder, /) -> Result[None, Any]:
        """Hang itself behind publishes."""

        def invalidating(next: Next, handler: HandlerInfo) -> Next:
            if not handler.invalidates:
                return next

            async def call(message: Any) -> Any:
                result = await next(message)
                self.steps.append(f"invalid by {message.order}, {len(handler.invalidates)} declared")
                return result

            return call

        builder.wrap_events(invalidating, "invalidation")
        return Success(None)


def feature_with(cache: Cache, answers: list[Result[None, str]]) -> Feature:
    """Subscribers that answer as given."""
    feature = Feature("orders")
    feature.invalidates(Placed, queries=(Find,))
    for number, answer in enumerate(answers):

        async def hear(_event: Placed, answer: Result[None, str] = answer) -> Result[None, str]:
            cache.steps.append("heard")
            return answer

        feature.subscribes(Placed, name=f"subscriber {number}")(hear)
    return feature


@pytest.mark.parametrize(
    "answers", [[], [Success(None)], [Failure("no")], [Success(None), Failure("no")]], ids=str
)
async def test_it_happens_once_after_the_last_delivery(
    compose_app: Any, answers: list[Result[None, str]]
) -> None:
    """Whatever the subscribers answered, and also if there is none; before publish returns."""
    cache = Cache()
    async with compose_app(feature_with(cache, answers), plugins=(cache,)) as bus:
        report = await bus.events.publish(Placed(1))
        first = list(cache.steps)
        await bus.events.publish(PlacedAsGift(2))
        await bus.events.publish(Cancelled())

    assert len(report.deliveries) == len(answers)
    assert first == ["heard"] * len(answers) + ["invalid by 1, 1 declared"]
    assert cache.steps[len(first) :] == ["heard"] * len(answers) + ["invalid by 2, 1 declared"]


async def test_it_happens_again_after_a_replay_that_succeeds(compose_app: Any) -> None:
    """What the subscriber has done now makes something invalid now."""
    cache = Cache()
    answers = [Failure("no"), Success(None)]
    feature = Feature("orders")
    feature.invalidates(Placed, queries=(Find,))

    @feature.subscribes(Placed, name="subscriber")
    async def hear(_event: Placed) -> Result[None, str]:
        cache.steps.append("heard")
        return answers.pop(0)

    async with compose_app(feature, plugins=(cache,)) as bus:
        await bus.events.publish(Placed(1))
        report = await bus.dead_letters.replay()

    assert len(report.delivered) == 1
    assert cache.steps == ["heard", "invalid by 1, 1 declared"] * 2


async def test_without_a_plugin_nothing_is_in_the_way(compose_app: Any) -> None:
    """A declaration alone adds no step to a publish."""
    cache = Cache()
    app = compose_app(feature_with(cache, [Success(None)]))
    async with app as bus:
        await bus.events.publish(Placed(1))
        audience = app._listeners.audience(Placed)

    assert audience.settle is None
