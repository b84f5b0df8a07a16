"""What the handlers work with while the server is open."""

import attrs

from cqrs_local.credentials import Credentials
from cqrs_local.documents import Documents
from cqrs_local.emulation import Emulation
from cqrs_local.engine import Engine
from cqrs_local.limits import Limits
from cqrs_local.store import Store


@attrs.define
class Place:
    """Where a server can be reached.

    Attributes:
        url: with scheme, host and port; empty while it does not listen.
    """

    url: str = ""


@attrs.frozen
class Backend:
    """An open server.

    Attributes:
        store: the streams.
        engine: runs queries over them.
        credentials: who may ask.
        limits: what a request may cost.
        documents: folders, templates, destinations, alerts, dashboards.
        place: where it listens.
        emulation: which version of the real server this one answers as.
    """

    store: Store
    engine: Engine
    credentials: Credentials
    limits: Limits
    documents: Documents
    place: Place
    emulation: Emulation = Emulation.NEWEST
