from typing import Any, cast

import punq

from cqrs.registrations import (
    Owner,
    Registering,
    needs_of,
    offer,
    optional_of,
    owner_of,
    registrations_of,
    serve,
)
from cqrs.signatures import Parameter


class Stock:
    """A service."""


class Ledger:
    """Needs others, some of them perhaps."""

    def __init__(self, stock: Stock, other: "int | None" = None, name: str = "main") -> None:
        self.stock, self.other, self.name = stock, other, name


def container_of(*services: type) -> Any:
    container = punq.Container()
    for service in services:
        container.register(service)
    return container


def test_what_is_registered_is_found_and_what_we_offer_is_not() -> None:
    """Ambiguity is counted among the user's registrations alone."""
    container = cast("Registering", container_of(Stock, Stock))
    offer(container, {Stock: Stock()}, {})

    assert len(registrations_of(container, Stock)) == 2
    assert registrations_of(container, Ledger) == []
    assert registrations_of(container, list[Stock]) == []


def test_needs_are_read_from_the_constructor() -> None:
    """Each parameter with the type that is looked up, and whether it may stay away; given ones are left out."""
    container = container_of(Ledger)
    container.register(Ledger, name="given")
    first, second = registrations_of(container, Ledger)

    assert needs_of(first) == (
        Parameter("stock", Stock, optional=False),
        Parameter("other", int, optional=True),
        Parameter("name", str, optional=True),
    )
    assert [parameter.name for parameter in needs_of(second)] == ["stock", "other"]
    assert optional_of(first) == {int | None: int}


def test_a_container_serves_the_first_that_asks() -> None:
    """Whoever comes later is given the first; nobody has it until somebody asks."""
    container, first, second = container_of(), Owner("shop.py:1"), Owner("shop.py:1")

    assert owner_of(container) is None
    assert serve(container, first) is serve(container, second) is owner_of(container) is first


def test_what_is_offered_can_be_resolved_and_is_replaced_in_place() -> None:
    """A second start of the app gives the user's classes the second start's objects, and registers nothing twice."""
    container = container_of(Ledger)
    stocks = Stock(), Stock()

    for stock in stocks:
        offer(container, {Stock: stock, int: 7}, {int | None: int})
        made = container.resolve(Ledger)
        assert made.stock is stock
        assert made.other == 7

    assert len(container.registrations.build_context(Stock).all_registrations(Stock)) == 1
