from typing import Any

import attrs
import pytest
from returns.result import Result, Success

from cqrs import Command, Feature, Instrument
from cqrs.hook_failures import HookFailures
from cqrs.middleware import HandlerInfo
from cqrs.plugins import Plugin, PluginBuilder


@attrs.frozen
class Place(Command[int, str]):
    """A command."""


def meter(error: Exception) -> Instrument:
    """An instrument without a name, of a class that every plugin calls Meter."""

    class Meter(Instrument):
        def finished(self, _handler: HandlerInfo, /) -> Any:
            def tell(*_: object) -> None:
                raise error

            return tell

    Meter.__qualname__ = "Meter"
    return Meter()


@attrs.define(eq=False)
class Metering(Plugin):
    """A plugin that adds instruments."""

    name: str  # type: ignore[misc] # the same class under two names
    instruments: list[Instrument]

    def configure(self, builder: PluginBuilder) -> Result[None, Any]:
        """Add them."""
        for each in self.instruments:
            builder.instrument(each)
        return Success(None)


def test_failures_are_told_apart_by_instrument_and_hook(caplog: pytest.LogCaptureFixture) -> None:
    """Each kind of failure is logged once; an instrument without a name goes by its class."""
    failures = HookFailures()
    for hook in ["around", "around", "published"]:
        failures.add(Instrument(), hook, ValueError(hook))

    assert failures.counts == {("Instrument", "around"): 2, ("Instrument", "published"): 1}
    assert len(caplog.records) == 2


def test_a_plugins_instrument_goes_by_the_plugins_name(caplog: pytest.LogCaptureFixture) -> None:
    """Equal instruments of two plugins are two; one that is called like its plugin is not named twice."""

    class Same(Instrument):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment] # as attrs and dataclasses make it

    first, second, third = Same(), Same(), Same()
    third.name = "gauge"
    failures = HookFailures()
    for instrument, plugin in [(first, "audit"), (second, "metering"), (third, "gauge")]:
        failures.brought(instrument, plugin)
        failures.add(instrument, "around", ValueError(plugin))

    names = ["audit (Same)", "metering (Same)", "gauge"]
    assert failures.counts == {(name.replace("Same", Same.__qualname__), "around"): 1 for name in names}
    assert [record.getMessage().split(" failed")[0] for record in caplog.records] == [
        f"Plugin {name.replace('Same', Same.__qualname__)}" for name in names
    ]


async def test_two_plugins_with_an_instrument_of_one_class_name(
    compose_app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Each one's first fault is logged by its plugin's name, with its traceback, and counted under it."""
    feature = Feature("orders")

    @feature.handles(Place)
    async def place(_command: Place) -> Result[int, str]:
        return Success(1)

    plugins = [Metering(name, [meter(ValueError(name))]) for name in ("audit", "billing")]
    async with compose_app(feature, plugins=plugins) as bus:
        for _ in range(3):
            assert await bus.commands.execute(Place()) == Success(1)
        counts = bus._listeners.hooks.failures.counts

    assert counts == {("audit (Meter)", "finished"): 3, ("billing (Meter)", "finished"): 3}
    told = {record.getMessage(): str(record.exc_info and record.exc_info[1]) for record in caplog.records}
    assert told == {
        f"Plugin {name} (Meter) failed in finished; dispatches go on without it.": name
        for name in ("audit", "billing")
    }
