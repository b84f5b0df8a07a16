import functools
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import pytest
from returns.result import Failure

from cqrs.problems import Code
from cqrs.signatures import Parameter, defaulted, injected

if TYPE_CHECKING:
    from decimal import Decimal


class Stock:
    """A service."""


class Mailer:
    """Another service."""


async def handler(command: object, stock: Stock, *, mailer: Mailer, retries: int = 3, note="") -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001


async def postponed(command: "object", *, stock: "Stock") -> None: ...


async def optional(command: object, *, a: Stock | None = None, b: "None | Stock", c: int | str) -> None: ...  # noqa: RUF036 - both orders are read


async def unannotated(command: object, *, stock) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001


async def positional(command: object, stock: Stock, /) -> None: ...


async def nothing() -> None: ...


async def only_keywords(*, command: object) -> None: ...


async def unknown(command: "Decimal") -> None: ...


async def anything(command: object, *args: Any, stock: Stock, **kwargs: Any) -> None: ...


class Handler:
    """A class handler."""

    def __init__(self, stock: Stock) -> None: ...

    async def __call__(self, command: object) -> None:
        """Handle."""

    async def method(self, command: object, *, mailer: Mailer) -> None:
        """Handle, too."""


@attrs.frozen
class Generated:
    """A class whose constructor is generated."""

    stock: "Stock"
    mailer: Mailer = attrs.field(kw_only=True)


def read(target: Any, *, takes_message: bool = True) -> tuple[Parameter, ...]:
    return injected(target, takes_message=takes_message).unwrap()


def test_a_handlers_parameters_are_read_by_type_but_for_the_message() -> None:
    """The first parameter is the message; the others are services, optional where they have a default."""
    assert read(handler) == (
        Parameter("stock", Stock, optional=False),
        Parameter("mailer", Mailer, optional=False),
        Parameter("retries", int, optional=True),
    )


def test_annotations_may_be_strings() -> None:
    """Postponed annotations are resolved where the function was defined."""
    assert read(postponed) == (Parameter("stock", Stock, optional=False),)


def test_a_union_with_none_asks_for_the_other_type() -> None:
    """`X | None` asks for X, on either side; a union of two types asks for the union."""
    assert read(optional) == (
        Parameter("a", Stock, optional=True),
        Parameter("b", Stock, optional=False),
        Parameter("c", int | str, optional=False),
    )


def test_an_annotation_is_what_annotates_no_key() -> None:
    """Annotated[X, ...] asks for X: the note is not part of the type."""

    async def noted(command: object, *, stock: Annotated[Stock, "main"]) -> None: ...

    assert read(noted) == (Parameter("stock", Stock, optional=False),)


def test_constructors_take_no_message() -> None:
    """Every parameter of a class's constructor is injected, written or generated."""
    assert read(Handler, takes_message=False) == (Parameter("stock", Stock, optional=False),)
    assert read(Generated, takes_message=False) == (
        Parameter("stock", Stock, optional=False),
        Parameter("mailer", Mailer, optional=False),
    )
    assert read(Stock, takes_message=False) == ()


def test_methods_and_decorated_functions_are_read_through() -> None:
    """A bound method and a wrapped function ask for what the function itself asks for."""

    @functools.wraps(handler)
    async def wrapper(*args: object, **kwargs: object) -> None: ...

    assert read(Handler(Stock()).method) == (Parameter("mailer", Mailer, optional=False),)
    assert read(wrapper) == read(handler)


def test_star_parameters_are_not_injected() -> None:
    """*args and **kwargs ask for nothing."""
    assert read(anything) == (Parameter("stock", Stock, optional=False),)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (unannotated, "its parameter 'stock' has no annotation"),
        (positional, "its parameter 'stock' is positional-only"),
        (nothing, "it takes no message as its first parameter"),
        (only_keywords, "it takes no message as its first parameter"),
        (unknown, "its annotations cannot be read (name 'Decimal' is not defined)"),
        (functools.partial(handler), "its annotations cannot be read"),
    ],
    ids=["unannotated", "positional", "nothing", "keywords", "unknown name", "partial"],
)
def test_what_cannot_be_read_is_a_problem_that_says_why(target: Any, reason: str) -> None:
    """A signature that cannot be injected gives one problem with the parameter or name concerned and the rule."""
    read = injected(target, takes_message=True)

    assert isinstance(read, Failure)
    assert read.failure().code is Code.UNREADABLE_SIGNATURE
    assert reason in read.failure().text
    assert "annotate each other parameter" in read.failure().fix


def test_defaults_are_told_without_reading_annotations() -> None:
    """The parameters with a default are named also where annotations are missing; a built-in has none."""
    assert defaulted(handler) == {"retries", "note"}
    assert defaulted(dict.__init__) == frozenset()
    assert defaulted(type("Opaque", (), {"__signature__": "broken"})) == frozenset()
