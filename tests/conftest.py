"""Set-up that several test files share."""

from collections.abc import Callable
from typing import Any

import pytest

from cqrs import CqrsApp, CqrsModule, Feature
from cqrs.middleware import HandlerInfo

Compose = Callable[..., CqrsApp]


@pytest.fixture
def compose_app() -> Compose:
    """Compose an app that no installed plugin and no variable of this machine can change."""

    def of(*features: Feature, **options: Any) -> CqrsApp:
        return CqrsModule.for_root(*features, **{"plugins": (), "env": {}, **options})

    return of


@pytest.fixture
def info() -> HandlerInfo:
    """What is known of some handler."""
    return HandlerInfo("command", object, "PlaceOrder", "shop.place_order", "shop.py:1")
