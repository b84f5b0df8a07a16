"""The order service, composed: ``cqrs check examples.orders.app:app`` looks at it without starting it."""

from collections.abc import Mapping, Sequence

import punq

from cqrs import CqrsApp, CqrsModule, Instrument
from examples.orders.handlers import orders
from examples.orders.store import Orders, SqliteOrders


def build(
    store: SqliteOrders | None = None,
    instruments: Sequence[Instrument] = (),
    env: Mapping[str, str] | None = None,
) -> CqrsApp:
    """Compose the service.

    Args:
        store: where orders are kept; in memory, opened when the app starts, if not given.
        instruments: who watches.
        env: replaces the process's environment.
    """
    container = punq.Container()
    if store is None:
        container.register(Orders, SqliteOrders, scope=punq.Scope.singleton)
    else:
        container.register(Orders, instance=store)
    return CqrsModule.for_root(orders, container=container, instruments=instruments, env=env)


app = build()
