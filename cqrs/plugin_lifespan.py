"""Starting and stopping plugins, so that none of them holds up or breaks the app."""

import logging
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final

import anyio

from cqrs.plugins import LoadedPlugin

logger: Final = logging.getLogger("cqrs")


async def start(plugins: Iterable[LoadedPlugin], stack: AsyncExitStack) -> tuple[LoadedPlugin, ...]:
    """Enter each active plugin's lifespan; those that fail are reported and left out.

    Args:
        plugins: as they were configured.
        stack: leaves the lifespans again, last entered first, each within its plugin's ``stop_timeout``.

    Returns:
        The plugins, each with the state that it came to.
    """
    started = [await _started(plugin, stack) for plugin in plugins]
    for plugin in started:
        if plugin.problem is not None:
            logger.error("%s", plugin.problem)
        elif plugin.state == "off":
            logger.info("plugin %s is off: %s.", plugin.name, plugin.reason)
    return tuple(started)


async def _started(loaded: LoadedPlugin, stack: AsyncExitStack) -> LoadedPlugin:
    if loaded.builder is None or loaded.plugin is None:
        return loaded
    try:
        lifespan = loaded.plugin.lifespan()
        await lifespan.__aenter__()
    except (Exception, SystemExit) as error:  # a plugin that cannot start is left out; the app goes on
        return loaded.failed(
            "start", f"{type(error).__name__}: {error}.", f"see the documentation of {loaded.name}."
        )
    stack.push_async_callback(_stop, loaded, lifespan)
    return loaded


async def _stop(loaded: LoadedPlugin, lifespan: AbstractAsyncContextManager[None]) -> None:
    seconds = loaded.plugin.stop_timeout if loaded.plugin is not None else 1.0
    reason = f"it was still stopping after {seconds:g} s."
    # Shielded: an app that is being cancelled still gives its plugins their time, and no more.
    with anyio.move_on_after(seconds, shield=True) as scope:
        try:
            await lifespan.__aexit__(None, None, None)
        except (Exception, SystemExit) as error:  # the others still have to be stopped
            reason = f"{type(error).__name__}: {error}."
        else:
            reason = ""
    if reason or scope.cancelled_caught:
        logger.error(
            "%s",
            loaded.failed("stop", reason, f"report it to {loaded.distribution or 'its author'}.").problem,
        )
