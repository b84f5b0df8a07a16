"""The server's names, by the table that was measured on real servers."""

import pytest
from cqrs_openobserve.columns import COLUMNS
from cqrs_openobserve.names import field_name, stream_name


@pytest.mark.parametrize(
    ("configured", "stored"),
    [
        ("cqrs-commands", "cqrs_commands"),
        ("My--App.x", "my_app_x"),
        ("a:b", "a:b"),
        ("Orders", "orders"),
        ("a  -  b", "a_b"),
        ("été", "_t_"),
    ],
)
def test_streams_are_stored_under_these_names(configured: str, stored: str) -> None:
    """Each run of other characters becomes one underscore, and case is lost."""
    assert stream_name(configured) == stored


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("Service.Name", "service_name"),
        ("my-field", "my_field"),
        ("K8s/Pod Name", "k8s_pod_name"),
        ("a--b", "a__b"),
        ("été Ü€", "été_ü_"),
        ("日本", "__"),
        ("_timestamp", "_timestamp"),
    ],
)
def test_fields_are_stored_under_these_names(sent: str, stored: str) -> None:
    """Each single other character becomes one underscore."""
    assert field_name(sent) == stored


def test_our_columns_have_the_names_that_the_server_stores() -> None:
    """No column is renamed on its way."""
    assert all(field_name(column.name) == column.name for column in COLUMNS)
