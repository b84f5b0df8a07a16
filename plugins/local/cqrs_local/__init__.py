"""An embedded, OpenObserve-compatible server for development, tests and the demo.

`cqrs local up` runs it as a process; `local_server` runs it inside a test.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cqrs_local.limits import Limits
    from cqrs_local.server import LocalServer, local_server
    from cqrs_local.store_settings import StoreSettings

__all__ = ["Limits", "LocalServer", "StoreSettings", "local_server"]

_HOME = {
    "Limits": "cqrs_local.limits",
    "LocalServer": "cqrs_local.server",
    "StoreSettings": "cqrs_local.store_settings",
    "local_server": "cqrs_local.server",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that the CLI starts without pyarrow."""
    if name not in _HOME:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOME[name]), name)
