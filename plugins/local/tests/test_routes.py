"""The routing table."""

from cqrs_local.routes import ROUTES, Route


def test_no_call_is_listed_twice() -> None:
    """The second would never be reached."""
    calls = [(route.method, route.pattern) for route in ROUTES]

    assert len(calls) == len(set(calls))


def test_a_pattern_names_the_parts_of_a_path() -> None:
    """An empty part is no name; another length is another path."""
    route = next(route for route in ROUTES if route.pattern == "/api/{org}/{stream}/_json")

    assert route.match(("api", "o", "s", "_json")) == {"org": "o", "stream": "s"}
    assert route.match(("api", "", "s", "_json")) is None
    assert route.match(("api", "o", "_json")) is None
    assert isinstance(route, Route)
