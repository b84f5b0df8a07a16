"""What the handlers work with while the server is open."""

import attrs

from cqrs_local.credentials import Credentials
from cqrs_local.emulation import Emulation
from cqrs_local.engine import Engine
from cqrs_local.limits import Limits
from cqrs_local.store import Store


@attrs.frozen
class Backend:
    """An open server.

    Attributes:
        store: the streams.
        engine: runs queries over them.
        credentials: who may ask.
        limits: what a request may cost.
        emulation: which version of the real server this one answers as.
    """

    store: Store
    engine: Engine
    credentials: Credentials
    limits: Limits
    emulation: Emulation = Emulation.NEWEST
