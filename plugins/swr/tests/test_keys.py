from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, NewType, Protocol

import attrs
import pytest
from cqrs_swr.encoding import Unkeyable
from cqrs_swr.keys import Keys, owner_of, type_id_of, unkeyable_fields

from cqrs import Query
from cqrs.caching import PRINCIPAL, SHARED, TENANT, CacheScope

OrderId = NewType("OrderId", int)


@attrs.frozen
class Find(Query[str, str]):
    """A query."""

    order: Any


@attrs.frozen
class Other(Query[str, str]):
    """Another query with the same field."""

    order: Any


@attrs.frozen
class All(Query[str, str]):
    """A query without fields."""


class Silent(Query[str, str]):
    """A query that does not say what it is made of."""


def keys(query: type = Find, scope: CacheScope = SHARED, vary: Any = None) -> Keys:
    return Keys(query, type_id_of(query), scope, vary)


@pytest.mark.parametrize(
    ("scope", "tenant", "principal", "owner"),
    [
        (SHARED, None, None, ()),
        (SHARED, "a", "p", ()),
        (TENANT, "a", "p", ("a",)),
        (TENANT, None, "p", None),
        (TENANT, "", None, ("",)),
        (PRINCIPAL, "a", "p", ("p", "a")),
        (PRINCIPAL, "a", None, None),
        (PRINCIPAL, None, "p", ("p",)),
    ],
)
def test_who_owns_an_entry(scope: CacheScope, tenant: Any, principal: Any, owner: Any) -> None:
    """A scope that the dispatch does not fill has no owner: nobody gets somebody else's by accident."""
    assert owner_of(scope, tenant, principal) == owner


def test_queries_of_two_classes_never_share_a_key() -> None:
    """Equal fields do not make equal questions."""
    assert keys().local(Find(1), ()) != keys(Other).local(Other(1), ())
    assert keys().shared(Find(1), ()) != keys(Other).shared(Other(1), ())


def test_owners_and_scopes_tell_keys_apart() -> None:
    """A principal "a" is no tenant "a", and two texts are not one (H5)."""
    owners = [("a",), ("b",), ("a", "b"), ("ab",), ("b", "a"), ("",), ()]
    of_tenants = keys(scope=TENANT)

    assert len({of_tenants.shared(Find(1), owner) for owner in owners}) == len(owners)
    assert len({of_tenants.local(Find(1), owner) for owner in owners}) == len(owners)
    assert of_tenants.local(Find(1), ("a",)) == of_tenants.local(Find(1), ("a",))
    assert keys(scope=TENANT).shared(Find(1), ("a",)) != keys(scope=PRINCIPAL).shared(Find(1), ("a",))


def test_vary_tells_answers_apart() -> None:
    """What the policy says makes a difference does."""
    language = ["de"]
    varied = keys(vary=lambda _query: language[0])
    german = varied.local(Find(1), ()), varied.shared(Find(1), ())
    language[0] = "fr"

    assert varied.local(Find(1), ()) != german[0]
    assert varied.shared(Find(1), ()) != german[1]


def test_what_vary_raises_is_no_key() -> None:
    """The query goes past the cache instead of failing."""
    with pytest.raises(Unkeyable, match="what it varies by: ZeroDivisionError"):
        keys(vary=lambda _query: 1 / 0).local(Find(1), ())


def test_the_two_keys_of_a_query_agree() -> None:
    """The one between processes is made of the one within this one."""
    varied = keys(vary=lambda query: query.order)
    for value in (1, "1", b"1", None, True, 1.0, (1, "a"), [1], {"a": 1}):
        assert varied.shared_of(varied.local(Find(value), ("a",))) == varied.shared(Find(value), ("a",))


def test_a_shared_key_is_stable() -> None:
    """A key that changed between releases would only miss, but silently: this one is written down."""
    assert (
        Keys(Find, "shop.Find", SHARED, None).shared(Find(1), ()).hex() == "8c2fbc8aeb341d054bbb96bb3ec5460d"
    )


def test_a_query_without_fields_has_one_key() -> None:
    """There is one question."""
    of_all = keys(All)

    assert of_all.local(All(), ()) == of_all.local(All(), ())
    assert len(of_all.shared(All(), ())) == 16


def test_a_class_that_does_not_name_its_fields_is_refused() -> None:
    """At once, when its keys are prepared."""
    with pytest.raises(Unkeyable, match="Silent does not say what its fields are"):
        keys(Silent)


def test_a_name_that_was_given_survives_a_move() -> None:
    """A type id is used in the place of module and class name."""

    @attrs.frozen
    class Moved(Query[str, str]):
        """A query with a name of its own."""

    Moved.__type_id__ = "shop.find"  # type: ignore[attr-defined]  # what the decorator sets

    assert type_id_of(Moved) == "shop.find"
    assert type_id_of(Find).endswith("Find")


class Colour(Enum):
    """An enumeration."""

    RED = 1


class Stranger:
    """Of no known kind."""


class Shape(Protocol):
    """What will be given is another class."""


@attrs.frozen
class Inner:
    """A class with a field that cannot be part of a key."""

    stranger: Stranger


@pytest.mark.parametrize(
    ("hint", "wrong"),
    [
        (int, False), (OrderId, False), (Colour, False), (tuple[int, ...], False), (dict[str, list[int]], False),
        (int | None, False), (Stranger | int, False), (Any, False), (object, False), (Shape, False), (Path, True),
        (Stranger, True), (list[Stranger], True), (Stranger | None, True), (Inner, True), (Callable[[], int], True),
        ("NowhereDefined", False),
    ],
)  # fmt: skip
def test_fields_whose_annotation_gives_them_away(hint: Any, wrong: bool) -> None:  # noqa: FBT001 - a table
    """What can be seen to be unkeyable is named when the app starts; what cannot, a look-up finds out."""
    cls = attrs.make_class("Asked", {"field": attrs.field(type=hint)}, bases=(Query[str, str],))

    assert list(unkeyable_fields(cls)) == (["field"] if wrong else [])
