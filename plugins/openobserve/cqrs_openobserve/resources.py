"""Who sends, as OpenTelemetry says it."""

from collections.abc import Mapping
from typing import Final

from opentelemetry.sdk.resources import Resource

from cqrs_openobserve.service import Service

_ours: Final[list[Resource]] = []


def resource_of(service: Service, instance: str, attributes: Mapping[str, str]) -> Resource:
    """Say who sends, as OpenTelemetry wants it.

    Args:
        service: the identity in the records.
        instance: identity of this process's life.
        attributes: further attributes, from ``OTEL_RESOURCE_ATTRIBUTES``.
    """
    known = {
        "service.name": service.name,
        "service.version": service.version,
        "service.instance.id": service.instance or instance,
        "deployment.environment": service.environment,
        "host.name": service.host,
        "telemetry.sdk.language": "python",
    }
    return Resource({**attributes, **{name: value for name, value in known.items() if value}})


def is_ours(resource: Resource) -> bool:
    """Tell whether a resource is of a provider that was made here.

    Args:
        resource: of a span or metric.
    """
    return any(resource is each for each in _ours)


def remember(resource: Resource) -> None:
    """Note that a provider of ours has a resource.

    Args:
        resource: its resource.
    """
    _ours.append(resource)
