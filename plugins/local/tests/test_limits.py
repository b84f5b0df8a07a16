"""The limits are those of the server."""

from cqrs_local.limits import Limits


def test_the_defaults_are_those_of_the_server() -> None:
    """Where it has one: body, columns, rows, window."""
    limits = Limits()

    assert (limits.body_bytes, limits.columns, limits.default_rows) == (209_715_200, 1000, 1000)
    assert (limits.too_old_hours, limits.too_far_hours) == (5, 24)
