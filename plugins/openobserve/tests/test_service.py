"""Who sends."""

import sys

import pytest
from cqrs_openobserve.service import Service, new_instance, service_of


def test_the_identity_comes_from_opentelemetrys_variables() -> None:
    """The name variable wins over the attribute; new and old name of the environment are read."""
    attributes = {
        "service.name": "other",
        "service.version": "1.2",
        "service.instance.id": "i",
        "deployment.environment": "old",
        "deployment.environment.name": "new",
        "host.name": "h",
    }
    assert service_of("orders", attributes) == Service("orders", "1.2", "new", "h", "i")
    assert service_of("", attributes).name == "other"
    assert service_of("", {"deployment.environment": "old"}).environment == "old"


def test_without_variables_the_program_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never empty."""
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys, "argv", ["/opt/shop/orders.py"])
    assert service_of("", {}).name == "orders"
    for argument in ("", "-c", "-"):
        monkeypatch.setattr(sys, "argv", [argument])
        assert service_of("", {}).name == "python"
    assert service_of("", {}).host


def test_every_process_life_has_its_own_id() -> None:
    """So that records of two workers never share a record_id."""
    assert new_instance() != new_instance()
