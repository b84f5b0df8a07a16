"""The query of the cache benchmark."""

from typing import Any

import attrs

from cqrs import Query


@attrs.frozen
class Ask(Query[int, str]):
    """Asks for anything."""

    argument: Any


@attrs.frozen
class Answer:
    """A small answer."""

    sku: str = "sku-1"
    quantity: int = 2


@attrs.frozen
class Find(Query[Answer, str]):
    """Asks for one."""

    order: int
