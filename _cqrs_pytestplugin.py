"""Fixtures of cqrs for pytest: `cqrs_app`, `captured` and `no_network`; nothing is imported before one is asked for.

A module of its own beside the package: pytest imports it in every run, and `import cqrs` is for those that use it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from cqrs import CqrsApp
    from cqrs.testing.captured import Captured


@pytest.fixture
def captured() -> "Iterator[Captured]":
    """What the apps of `cqrs_app` did and the core logged, as lists: events, observations, publishes and logs."""
    from cqrs.testing.captured import capturing

    with capturing() as everything:
        yield everything


@pytest.fixture
def cqrs_app(request: pytest.FixtureRequest) -> "Callable[..., CqrsApp]":
    """Compose an app that no installed plugin and no variable of this machine can change.

    Called like `CqrsModule.for_root`; what it is not given is `plugins=()` and `env={}`. In a test that asks for
    `captured` too, the app is observed.
    """
    from cqrs import CqrsModule

    observed = "captured" in request.fixturenames
    observing = (request.getfixturevalue("captured").instrument,) if observed else ()
    for_root = cast("Callable[..., CqrsApp]", CqrsModule.for_root)

    def compose(*features: object, instruments: Sequence[object] = (), **options: object) -> "CqrsApp":
        alone: dict[str, object] = {"plugins": (), "env": {}}
        return for_root(*features, instruments=(*observing, *instruments), **(alone | options))

    return compose


@pytest.fixture
def no_network() -> Iterator[None]:
    """Fail where the test tries to leave this machine; loopback and Unix sockets work."""
    from cqrs.testing.no_network import offline

    with offline():
        yield
