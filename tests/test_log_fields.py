import dataclasses
from typing import Any

import attrs
import pytest

from cqrs import Command, HandlerInfo
from cqrs.log_fields import fields_of, unknown_fields
from cqrs.problems import Code


@attrs.frozen
class Attrs(Command[int, str]):
    """A message of attrs."""

    sku: str
    quantity: int = 1

    @property
    def total(self) -> int:
        """Derived from the others."""
        return self.quantity * 2


@dataclasses.dataclass(frozen=True)
class Plain(Command[int, str]):
    """A dataclass."""

    sku: str


@attrs.frozen
class Derived(Attrs):
    """Has its base's fields too."""

    note: str = ""


def info_of(message: type, *fields: str) -> HandlerInfo:
    return HandlerInfo("command", message, "Place", "shop.place", "shop.py:1", log_fields=fields)


@pytest.mark.parametrize(
    ("message", "fields"),
    [(Attrs, ("sku", "quantity")), (Plain, ("sku",)), (Derived, ("sku", "quantity", "note")), (int, ())],
)
def test_fields_are_what_is_annotated(message: Any, fields: tuple[str, ...]) -> None:
    """In the class and in its bases, those of the bases first."""
    assert fields_of(message) == fields


def test_a_field_that_does_not_exist_is_a_problem() -> None:
    """A misspelt name would record nothing, and nobody would notice; a property may be recorded."""
    handlers = [info_of(Attrs, "sku", "total"), info_of(Derived, "skuu", "note"), info_of(Plain)]

    (problem,) = unknown_fields(handlers)

    assert problem.code is Code.UNKNOWN_FIELD
    assert "'skuu'" in problem.text
    assert problem.fix == "name one of its fields in log_fields: sku, quantity, note."
