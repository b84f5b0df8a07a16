"""A cache declaration knows its query, value and error: a wrong attribute in a lambda is refused by both checkers."""

from cqrs import CqrsApp, Feature
from cqrs.caching import BYPASS, ONLY_IF_CACHED, REFRESH, SHARED, QueryCache, max_age
from tests.typing.messages import Cancel, Cancelled, Find, Forbidden, Place, Placed, Stock

orders = Feature("orders")

orders.caches(Find, ttl=30, stale=300, fail_safe=600, scope=SHARED, tags=lambda query: (f"order:{query.order}",))
orders.caches(Find, ttl=lambda query, value: 60.0 if value.startswith("old") else query.order)
orders.caches(Find, cache_if=lambda query, value: value.isupper() and query.order > 0, vary=lambda query: query.order)
orders.caches(Find, negative={Forbidden: 5.0}, classify=lambda error: "answer" if isinstance(error, Forbidden) else "transient")

orders.caches(Find, tags=lambda query: (query.sku,))  # refused
orders.caches(Find, vary=lambda query: query.sku)  # refused
orders.caches(Find, cache_if=lambda query, value: value.missing)  # refused
orders.caches(Find, ttl=lambda query, value: value.missing)  # refused
orders.caches(Find, ttl="30")  # refused
orders.caches(Find, scope="shared")  # refused
orders.caches(Find, classify=lambda error: "maybe")  # refused
orders.caches(Place, ttl=30)  # refused
orders.caches(Placed, ttl=30)  # refused
orders.caches(Stock, ttl=30)  # refused

orders.invalidates(Place, tags=lambda command, order: (f"order:{order + 1}", command.sku))
orders.invalidates(Cancel, queries=(Find,), mode="remove")
orders.invalidates(Placed, tags=lambda event: (f"order:{event.order}",))

orders.invalidates(Place, tags=lambda command, order: (command.missing,))  # refused
orders.invalidates(Place, tags=lambda command, order: (order.missing,))  # refused
orders.invalidates(Placed, tags=lambda event: (event.missing,))  # refused
orders.invalidates(Cancel, queries=(Cancelled,))  # refused
orders.invalidates(Cancel, queries=(Find,), mode="forget")  # refused


async def overrides(app: CqrsApp, cache: QueryCache) -> None:
    for control in (BYPASS, REFRESH, ONLY_IF_CACHED, max_age(5)):
        await app.queries.execute(Find(1), cache=control)
    await app.queries.execute(Find(1), cache=5)  # refused
    await app.commands.execute(Place("a"), cache=BYPASS)  # refused
    await cache.prime(Find(1), "order 1")
    (await cache.peek(Find(1))).unwrap().upper()
    (await cache.peek(Find(1))).unwrap().missing  # refused
    await cache.invalidate(Find(1), tags=("order:1",), types=(Find,))
    await cache.invalidate(Place("a"))  # refused
