import pytest

from cqrs.dependency_problems import Asked, ambiguous, cyclic, failed, label, missing, taken
from cqrs.problems import Code
from cqrs.signatures import Parameter


class Stock:
    """A service."""


@pytest.fixture
def asked() -> Asked:
    """A handler asks for something that needs a `Stock`."""
    start = Asked(None, ("shop.place",), (), "shop.py:7")
    return start.needs(Parameter("orders", dict, optional=False)).needs(
        Parameter("stock", Stock, optional=False)
    )


def test_the_path_leads_from_the_handler_to_what_is_missing(asked: Asked) -> None:
    """Each step names parameter and type; the problem stands where the handler does, with the call that mends it."""
    problem = missing(asked)

    assert problem.text == "shop.place → orders: dict → stock: Stock: nothing is registered for Stock."
    assert problem.fix == (
        "container.register(Stock, ...) or feature.provides(Stock, ...) before the app starts."
    )
    assert problem.place == "shop.py:7"


def test_a_list_is_never_registered_with_punq() -> None:
    """Punq answers a list from its elements, so that the fix cannot be to register one."""
    asked = Asked(None, ("shop.place",), (), "").needs(Parameter("all", list[Stock], optional=False))

    assert missing(asked).fix.startswith("feature.provides(")


def test_the_trail_holds_what_was_passed(asked: Asked) -> None:
    """A cycle is found by it."""
    assert asked.trail == (None, dict)


def test_each_kind_of_problem_has_its_code(asked: Asked) -> None:
    """Tools tell them apart by the code, people by the words."""
    crash = failed("shop.Stock", ValueError("no file"), "shop.py:1")
    served = taken("shop.py:8", "office.py:9")
    codes = [ambiguous(asked, 2).code, cyclic(asked).code, crash.code, served.code]

    assert codes == [
        Code.AMBIGUOUS_DEPENDENCY,
        Code.CYCLIC_DEPENDENCY,
        Code.DEPENDENCY_FAILED,
        Code.CONTAINER_TAKEN,
    ]
    assert "ValueError: no file" in crash.text
    assert (served.place, "composed at shop.py:8" in served.text) == ("office.py:9", True)


@pytest.mark.parametrize(
    ("service", "name"), [(Stock, "Stock"), (list[int], "list[int]"), ("stock", "stock")]
)
def test_a_service_is_named_as_people_write_it(service: object, name: str) -> None:
    """A generic alias is a type to `isinstance`, but its name alone would say too little."""
    assert label(service) == name
