"""Who sends, as OpenTelemetry says it."""

from cqrs_openobserve.resources import is_ours, remember, resource_of
from cqrs_openobserve.service import Service


def test_a_resource_has_the_identity_of_the_records() -> None:
    """And what else was set; what is known wins, what is not known is left out."""
    resource = resource_of(Service("orders", "1.2", None, "h"), "inst", {"team": "shop", "service.name": "x"})

    assert dict(resource.attributes) == {
        "team": "shop",
        "service.name": "orders",
        "service.version": "1.2",
        "service.instance.id": "inst",
        "host.name": "h",
        "telemetry.sdk.language": "python",
    }


def test_a_resource_of_a_provider_of_ours_is_known_again() -> None:
    """The very one, not an equal one."""
    one, two = (resource_of(Service("s", None, None, "h"), "i", {}) for _ in range(2))
    remember(one)

    assert (is_ours(one), is_ours(two)) == (True, False)
