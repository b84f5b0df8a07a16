from dataclasses import dataclass

import attrs
import pytest

from cqrs import Command
from cqrs.frozen import is_frozen


@attrs.frozen
class FrozenAttrs(Command[int, str]):
    """A frozen attrs class."""

    sku: str


@attrs.define
class OpenAttrs(Command[int, str]):
    """An attrs class that is not frozen."""

    sku: str


@attrs.define
class Validated(Command[int, str]):
    """An attrs class that is not frozen, with a `__setattr__` of its own to validate."""

    sku: str = attrs.field(validator=attrs.validators.instance_of(str))


@dataclass(frozen=True)
class FrozenDataclass(Command[int, str]):
    """A frozen dataclass."""

    sku: str


@dataclass
class OpenDataclass(Command[int, str]):
    """A dataclass that is not frozen."""

    sku: str


class Empty(Command[int, str]):
    """A class without fields."""


class Plain(Command[int, str]):
    """A class that sets its fields by hand."""

    def __init__(self, sku: str) -> None:
        self.sku = sku


class Annotated(Command[int, str]):
    """A class with fields that anybody may set."""

    sku: str = ""


class Guarded(Plain):
    """A class that refuses by itself."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


class Derived(FrozenAttrs):
    """A plain class below a frozen one."""


@pytest.mark.parametrize(
    ("cls", "frozen"),
    [
        (FrozenAttrs, True), (OpenAttrs, False), (Validated, False), (FrozenDataclass, True), (OpenDataclass, False),
        (Empty, True), (Plain, False), (Annotated, False), (Guarded, True), (Derived, True),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_a_class_is_told_by_how_it_was_made(cls: type, frozen: bool) -> None:  # noqa: FBT001 - a table
    """Classes of attrs and dataclasses say it themselves; others are frozen if they have no fields or refuse assignments."""
    assert is_frozen(cls) is frozen
