"""Prove a cache: the engine's state machine, laws for any ``CacheStore``, and clocks that a test sets."""

from cqrs_swr.testing.clocks import SetChance, SteppedClock
from cqrs_swr.testing.machine import EngineMachine
from cqrs_swr.testing.store_laws import STORE_LAWS, StoreSubject

__all__ = ["STORE_LAWS", "EngineMachine", "SetChance", "SteppedClock", "StoreSubject"]
