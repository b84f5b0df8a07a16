import dataclasses
from decimal import Decimal
from typing import Any

import attrs
import pytest
from cqrs_swr.sharing import footprint, is_immutable, never_changes, parts_of


@attrs.frozen
class Frozen:
    """Nobody can change it, unless what it holds can be changed."""

    held: Any


@attrs.define
class Mutable:
    """Anybody can change it."""

    held: Any


@dataclasses.dataclass(frozen=True)
class FrozenToo:
    """A dataclass that nobody can change."""

    held: Any


@pytest.mark.parametrize(
    ("value", "immutable"),
    [
        (None, True), (1, True), ("a", True), (Decimal(1), True), ((), True), ((1, (2, "a")), True),
        (frozenset({1}), True), (Frozen(1), True), (FrozenToo((1,)), True), (Frozen(Frozen("a")), True),
        ([], False), ({}, False), (set(), False), ((1, [2]), False), (Frozen([1]), False), (FrozenToo({}), False),
        (Mutable(1), False), (Frozen(Mutable(1)), False), (object(), False), (bytearray(), False),
    ],
)  # fmt: skip
def test_what_may_be_handed_to_several_callers(value: Any, immutable: bool) -> None:  # noqa: FBT001 - a table
    """Only what none of them can change, all the way down."""
    assert is_immutable(value) is immutable


def test_a_value_that_is_too_deep_is_taken_for_one_that_can_be_changed() -> None:
    """It is copied then, which is right in any case."""
    value: Any = ()
    for _ in range(1000):
        value = (value,)

    assert is_immutable(value) is False


def test_a_footprint_counts_what_is_in_it() -> None:
    """A large text within weighs as much as outside."""
    assert footprint(Frozen(("x" * 10_000,))) > 10_000
    assert footprint(1) < 100


def test_only_what_cannot_be_changed_has_parts() -> None:
    """Everything else is taken as a whole."""
    assert list(parts_of(Frozen(1)) or ()) == [1]
    assert parts_of([1]) is None


@attrs.frozen
class Line:
    """Made of what nobody can change."""

    sku: str
    quantity: int | None
    inner: "Line | None" = None


@attrs.frozen
class Lost:
    """With a hint that means nothing."""

    held: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - on purpose


@pytest.mark.parametrize(
    ("declared", "never"),
    [
        (int, True), (str, True), (None, True), (tuple[int, ...], True), (frozenset[str], True), (int | None, True),
        (tuple[tuple[str, int], ...], True), (Line, True), (tuple[Line, ...], True),
        (list[int], False), (dict[str, int], False), (Frozen, False), (Mutable, False), (object, False),
        (tuple[list[int], ...], False), (Line | list[int], False), (Any, False), (Lost, False), ("Line", False),
    ],
)  # fmt: skip
def test_what_a_type_says_of_all_its_values(declared: Any, never: bool) -> None:  # noqa: FBT001 - a table
    """Only what is certain counts; anything else is looked at value by value."""
    assert never_changes(declared) is never
