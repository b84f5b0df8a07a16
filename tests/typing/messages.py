"""The messages that the other files of this folder use."""

import attrs

from cqrs import Command, Event, Query, Rejection


@attrs.frozen
class OutOfStock(Rejection):
    """A correct no."""

    sku: str


@attrs.frozen
class Forbidden(Rejection):
    """Another one."""


@attrs.frozen
class Place(Command[int, OutOfStock]):
    """A command with a value and an error."""

    sku: str


@attrs.frozen
class Cancel(Command[None, str]):
    """Another command, to mistake for the first."""

    order: int


@attrs.frozen
class Audit(Command[str, OutOfStock | Forbidden]):
    """A command with two errors."""


@attrs.frozen
class Find(Query[str, Forbidden]):
    """A query."""

    order: int


@attrs.frozen
class Placed(Event):
    """An event."""

    order: int


@attrs.frozen
class Cancelled(Event):
    """Another event."""

    order: int


class Stock:
    """A dependency."""
