"""A query cache for returns-cqrs: stale-while-revalidate, single flight and invalidation that holds.

Install it and declare policies on features: ``orders.caches(FindOrder, ttl=30, stale=300)``. Nothing else changes.
"""

from cqrs_swr.memory_store import MemoryStore
from cqrs_swr.plugin import Swr
from cqrs_swr.settings import Settings

__all__ = ["MemoryStore", "Settings", "Swr"]
