from typing import Any

import attrs
import punq
import pytest
from returns.result import Result, Success

from cqrs import Clock, Command, CommandBus, Feature
from cqrs.declarations import MESSAGE


@attrs.frozen
class Place(Command[Any, str]):
    """A command."""


class Stock:
    """A service."""


class Fake(Stock):
    """A test's own."""


class Ledger:
    """Needs the stock."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock


def taking(kind: type) -> Feature:
    feature = Feature("orders")

    async def place(_command: Place, *, needed: kind) -> Result[Any, str]:  # type: ignore[valid-type]  # a type that the test chooses
        return Success(needed)

    feature.handles(Place)(place)
    return feature


async def answer_of(app: Any) -> Any:
    async with app as bus:
        return (await bus.commands.execute(Place())).unwrap()


@pytest.mark.parametrize("lifetime", ["app", MESSAGE, "punq"])
async def test_an_override_wins_until_it_ends(lifetime: Any, compose_app: Any) -> None:
    """However the service is registered, the test's own is injected, and afterwards the app is as it was."""
    feature, container = taking(Stock), punq.Container()
    if lifetime == "punq":
        container.register(Stock, scope=punq.Scope.singleton)
    else:
        feature.provides(Stock, lifetime=lifetime)
    app, fake = compose_app(feature, container=container), Fake()

    with app.override(Stock, fake):
        assert app.check().unwrap().handlers
        assert await answer_of(app) is fake

    assert type(await answer_of(app)) is Stock


async def test_nothing_that_was_made_under_an_override_outlives_it(compose_app: Any) -> None:
    """A singleton of the user's own container that needs the service is made anew, before and after."""
    container = punq.Container()
    container.register(Stock, scope=punq.Scope.singleton)
    container.register(Ledger, scope=punq.Scope.singleton)
    app, fake = compose_app(taking(Ledger), container=container), Fake()
    before = await answer_of(app)

    with app.override(Stock, fake):
        assert (await answer_of(app)).stock is fake
        assert app.container.resolve(Ledger).stock is fake

    assert await answer_of(app) is before
    assert app.container is container
    assert container.resolve(Ledger).stock is before.stock


async def test_overrides_nest(compose_app: Any) -> None:
    """Each replaces one service; the inner one of the same service wins."""
    app, one, two = compose_app(taking(Stock)), Fake(), Fake()

    with app.override(Stock, one):
        with app.override(Clock, clock := object()), app.override(Stock, two):
            async with app as bus:
                assert app.container.resolve(Clock) is clock
                assert (await bus.commands.execute(Place())).unwrap() is two
                assert app.container.resolve(CommandBus) is bus.commands
        assert await answer_of(app) is one


async def test_an_override_fills_what_is_missing(compose_app: Any) -> None:
    """What only a test provides need not be registered at all."""
    app = compose_app(taking(Ledger), container=punq.Container().register(Ledger))
    assert len(app.check().failure()) == 1

    with app.override(Stock, Fake()):
        assert isinstance((await answer_of(app)).stock, Fake)


async def test_a_running_app_is_not_overridden(compose_app: Any) -> None:
    """Dependencies are bound when the app starts: an override that could not work says so."""
    feature = taking(Stock)
    feature.provides(Stock)
    app = compose_app(feature)

    async with app:
        with pytest.raises(RuntimeError, match="override before"), app.override(Stock, Fake()):
            pass
