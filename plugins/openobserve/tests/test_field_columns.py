"""Payload fields as columns."""

from typing import Any

import attrs
import pytest
from cqrs_openobserve.field_columns import MOST_BYTES, FieldColumns, column_name, values


@attrs.frozen
class Order:
    """A message."""

    sku: str = "apple"
    quantity: int = 1
    price: float = 1.5
    gift: bool = False
    note: object = None
    maybe: int | None = None
    password: str = "hunter2"

    @property
    def total(self) -> float:
        """Not read."""
        raise RuntimeError


@attrs.frozen
class Other:
    """Declares the same names differently."""

    sku: int = 5
    quantity: str = "many"


FIELDS = ("sku", "quantity", "price", "gift", "note", "maybe", "total", "gone")


def read(message: Any, *fields: str) -> dict[str, object]:
    return dict(values(message, FieldColumns().of(type(message), fields)))


def test_a_field_has_the_type_that_the_message_declares() -> None:
    """Integers, numbers and truth values are columns of their type, all else is text; what is None is left out."""
    columns = FieldColumns().of(Order, FIELDS)

    assert [column.type for column in columns] == [
        "Utf8",
        "Int64",
        "Float64",
        "Boolean",
        "Utf8",
        "Int64",
        "Utf8",
        "Utf8",
    ]
    assert values(Order(), columns) == {
        "field_sku": "apple",
        "field_quantity": 1,
        "field_price": 1.5,
        "field_gift": False,
    }


@pytest.mark.parametrize("value", ["two", 2.5, True, [2], 2**63, float("nan")])
def test_a_value_of_another_type_has_a_column_of_its_own(value: object) -> None:
    """The column keeps its type; nothing is lost."""
    read_back = read(Order(quantity=value), "quantity")  # type: ignore[arg-type]  # on purpose

    assert list(read_back) == ["field_quantity_text"]
    assert type(read_back["field_quantity_text"]) is str


def test_an_integer_in_a_number_is_a_number() -> None:
    """The first value decides a column's type on the server."""
    found = read(Order(price=3), "price")

    assert found == {"field_price": 3.0}
    assert type(found["field_price"]) is float


def test_a_declared_secret_is_not_written() -> None:
    """A field whose name is on the deny-list is redacted although it was asked for."""
    assert read(Order(), "password") == {"field_password": "<redacted>"}


def test_two_messages_that_declare_a_name_differently_share_no_column() -> None:
    """The second one's values go to the text column."""
    columns = FieldColumns()
    first, second = columns.of(Order, ("sku", "quantity")), columns.of(Other, ("sku", "quantity"))

    assert values(Order(), first) == {"field_sku": "apple", "field_quantity": 1}
    assert values(Other(), second) == {"field_sku_text": "5", "field_quantity_text": "many"}


def test_an_annotation_that_cannot_be_read_makes_texts() -> None:
    """A name that does not exist any more is no reason not to write the field."""

    class Old:
        gone: "NoSuchName"  # type: ignore[name-defined]  # noqa: F821 - on purpose
        n: int = 1

    old = Old()
    old.n = 4
    assert read(old, "n") == {"field_n": "4"}


def test_fields_stay_within_their_size() -> None:
    """What does not fit any more is left out, the first fields stay."""
    message = type("Big", (), {})()
    for index in range(20):
        setattr(message, f"f{index}", "x" * 8_000)
    found = read(message, *(f"f{index}" for index in range(20)))

    assert found["field_f0"] == "x" * 8_000
    assert sum(len(str(value)) for value in found.values()) <= MOST_BYTES


def test_names_are_what_the_server_makes_of_them() -> None:
    """Lower case, no punctuation; two fields of one name do not overwrite one another."""
    message = type("M", (), {})()
    message.SKU, message.sku = "a", "b"

    assert column_name("My-Field.X") == "field_my_field_x"
    assert read(message, "SKU", "sku") == {"field_sku": "a"}
