"""A plugin that does all that another one does, and fails at a stage."""

from typing import Any

import pytest

from cqrs import CqrsModule
from cqrs.plugins import Plugin, PluginBuilder
from cqrs.testing.failing_plugin import STAGES, Fails, failing


class Service:
    """What it registers."""


class Inner(Plugin):
    """Registers something."""

    name = "inner"

    def configure(self, builder: PluginBuilder, /) -> Any:
        """Register."""
        builder.register(Service, Service())
        return super().configure(builder)


@pytest.mark.parametrize("fails", STAGES)
async def test_it_fails_where_it_is_to(fails: Fails) -> None:
    """Under the name of the other one, after having done what that does."""
    plugin = failing(Inner(), fails)

    async with CqrsModule.for_root(plugins=[plugin], env={}) as app:
        if fails == "run raises":
            assert app.plugins[0].state == "active"
            await plugin.break_down(lambda: app.plugins[0].state)
        (state,) = app.plugins

    assert state.name == "inner"
    assert state.state == ("active" if fails == "stop raises" else "failed")
    assert plugin.registered == [Service]
