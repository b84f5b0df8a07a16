"""The variables that the core itself reads: for the table of settings, and for ``cqrs config``."""

from collections.abc import Mapping
from typing import Final

from cqrs.settings import SettingReport, Variable, text

CORE_VARIABLES: Final = (
    Variable(
        "CQRS_PLUGINS",
        text(),
        "The only plugins to load, by name, with commas or spaces between them; none loads no plugin.",
        "openobserve",
    ),
    Variable(
        "CQRS_PLUGINS_DISABLED",
        text(),
        "Plugins not to load, by name, with commas or spaces between them.",
        "openobserve",
    ),
    Variable(
        "CQRS_APP",
        text(),
        "The app that the commands look at if they are given none: package.module:name.",
        "examples.orders.app:app",
    ),
    Variable(
        "CQRS_DEAD_LETTERS",
        text(),
        "Where the events wait that a subscriber could not take: sqlite:PATH; in memory if not set.",
        "sqlite:/var/lib/shop/dead-letters.db",
    ),
)


def core_report(env: Mapping[str, str]) -> tuple[SettingReport, ...]:
    """Say what each of the core's variables is and where it came from.

    Args:
        env: the environment.
    """
    return tuple(_report(variable.name, env) for variable in CORE_VARIABLES)


def _report(name: str, env: Mapping[str, object]) -> SettingReport:
    value = env.get(name)
    blank = not isinstance(value, str) or not value.strip()
    return SettingReport(name, "" if blank else str(value), "default" if blank else name)
