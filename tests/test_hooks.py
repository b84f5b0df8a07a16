import logging
from typing import Any

import attrs
import pytest
from returns.result import Result, Success

from cqrs import Event, Feature, Instrument
from cqrs.hook_details import AppDetails, DeliveredDetails, RefreshedDetails
from cqrs.hook_failures import HookFailures
from cqrs.hooks import Hooks
from cqrs.middleware import HandlerInfo

HOOKS = ["published", "delivered", "retried", "dead_lettered", "refreshed", "app_started", "app_stopped"]


@attrs.frozen
class Placed(Event):
    """An event."""


def overriding(hook: str, heard: list[object], error: Exception | None = None) -> Instrument:
    """An instrument that overrides one hook."""

    def tell(self: Instrument, details: object, /) -> None:
        heard.append((self, details))
        if error is not None:
            raise error

    return type("Overriding", (Instrument,), {hook: tell, "name": f"with {hook}"})()


@pytest.fixture
def orders() -> Feature:
    """A feature with one subscriber."""
    feature = Feature("orders")

    @feature.subscribes(Placed, name="send")
    async def send(_event: Placed) -> Result[None, str]:
        return Success(None)

    return feature


@pytest.mark.parametrize("hook", HOOKS)
def test_only_the_hook_that_is_overridden_is_there(hook: str) -> None:
    """What nobody overrides is None, so that its details are not even made; the other is called for each instrument."""
    heard: list[object] = []
    first, second = overriding(hook, heard), overriding(hook, heard)
    hooks = Hooks()
    hooks.watch([first, Instrument(), second], HookFailures())

    assert [name for name in HOOKS if getattr(hooks, name) is not None] == [hook]
    getattr(hooks, hook)("details")
    assert heard == [(first, "details"), (second, "details")]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_raises_is_said_once_and_counted(hook: str, caplog: pytest.LogCaptureFixture) -> None:
    """It reaches neither the caller nor the next instrument; the line names the instrument and the hook."""
    heard: list[object] = []
    hooks, failures = Hooks(), HookFailures()
    hooks.watch([overriding(hook, heard, ValueError("deaf")), overriding(hook, heard)], failures)
    for _ in range(3):
        getattr(hooks, hook)("details")

    assert len(heard) == 6
    assert failures.counts == {(f"with {hook}", hook): 3}
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("cqrs", logging.ERROR)
    assert f"with {hook} failed in {hook}" in record.getMessage()


def test_hooks_can_be_emptied() -> None:
    """Without instruments every hook is None again."""
    hooks = Hooks()
    hooks.watch([overriding("refreshed", [])], HookFailures())
    hooks.watch((), HookFailures())

    assert [getattr(hooks, name) for name in HOOKS] == [None] * len(HOOKS)


async def test_an_app_tells_its_start_and_its_end(compose_app: Any, orders: Feature) -> None:
    """Both are told once per run, with handlers and times; at the end the buses are closed already."""
    told: list[tuple[str, AppDetails, bool]] = []

    class Keeping(Instrument):
        def app_started(self, details: AppDetails, /) -> None:
            told.append(("started", details, app.events._gate.fault is None))

        def app_stopped(self, details: AppDetails, /) -> None:
            told.append(("stopped", details, app.events._gate.fault is None))

    app = compose_app(orders, instruments=[Keeping()])
    for _ in range(2):
        async with app:
            pass

    assert [(what, is_open) for what, _, is_open in told] == [("started", True), ("stopped", False)] * 2
    assert {info.subscriber for _, details, _ in told for info in details.handlers} == {"send"}
    assert all(details.duration_ns > 0 and details.plugins == () for _, details, _ in told)


async def test_an_app_that_cannot_start_tells_nothing(compose_app: Any, orders: Feature) -> None:
    """A start that failed is neither a start nor an end."""
    heard: list[object] = []

    def broken(_next: object, _handler: object) -> Any:
        raise ValueError("no")

    watching = [overriding("app_started", heard), overriding("app_stopped", heard)]
    with pytest.raises(Exception, match="CQRS-014"):
        await compose_app(orders, instruments=watching, middleware=[broken]).__aenter__()

    assert heard == []


@pytest.mark.parametrize("hook", ["app_started", "app_stopped", "delivered"])
async def test_a_hook_that_raises_does_not_touch_the_app(
    hook: str, compose_app: Any, orders: Feature, caplog: pytest.LogCaptureFixture
) -> None:
    """The app starts, publishes and stops as if nothing had happened; the failure is logged."""
    async with compose_app(orders, instruments=[overriding(hook, [], ValueError("deaf"))]) as bus:
        assert (await bus.events.publish(Placed())).ok

    assert f"failed in {hook}" in caplog.text


async def test_each_delivery_is_told(compose_app: Any, orders: Feature) -> None:
    """The hook gets the subscriber, what it answered, and the identity that the publish has too."""
    told: list[DeliveredDetails] = []
    published: list[Any] = []

    class Keeping(Instrument):
        def delivered(self, details: DeliveredDetails, /) -> None:
            told.append(details)

        def published(self, details: Any, /) -> None:
            published.append(details)

    orders.subscribes(Placed, name="other")(ok)
    async with compose_app(orders, instruments=[Keeping()]) as bus:
        report = await bus.events.publish(Placed())

    assert {details.handler.subscriber for details in told} == {"send", "other"}
    assert {id(details.delivery) for details in told} == {id(delivery) for delivery in report.deliveries}
    assert {details.context.message_id for details in told} == {published[0].context.message_id}


async def ok(_event: Event) -> Result[None, str]:
    return Success(None)


def test_details_of_a_refresh_need_no_dispatch() -> None:
    """A cache tells a refresh through the same object, without a context."""
    heard: list[Any] = []
    hooks = Hooks()
    hooks.watch([overriding("refreshed", heard)], HookFailures())
    details = RefreshedDetails(HandlerInfo("query", object, "Find", "shop.find", ""), "stale", "success", 5)

    assert hooks.refreshed is not None
    hooks.refreshed(details)
    assert heard[0][1] is details
