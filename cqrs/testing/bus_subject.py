"""What the laws of the buses look at: an app that is composed around the handlers of an example."""

from collections.abc import Callable, Sequence
from typing import final

import attrs

from cqrs.app import CqrsApp, CqrsModule
from cqrs.features import Feature
from cqrs.instrumentation import Instrument

Compose = Callable[[Feature, Sequence[Instrument]], CqrsApp]


def plain(feature: Feature, instruments: Sequence[Instrument]) -> CqrsApp:
    """Compose an app of nothing but a feature and instruments.

    Args:
        feature: the handlers.
        instruments: around them.
    """
    return CqrsModule.for_root(feature, instruments=instruments, plugins=(), env={})


@final
@attrs.frozen(eq=False)
class BusSubject:
    """The buses of an app, as their laws look at them.

    Attributes:
        compose: makes an app of the handlers of an example, with the instruments of the law and with whatever the
            buses have to keep their promises with; called for each example.
    """

    compose: Compose = plain
