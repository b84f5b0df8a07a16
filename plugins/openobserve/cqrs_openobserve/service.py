"""Who sends: the columns that are equal in every record of a process."""

import platform
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import final

import attrs


@final
@attrs.frozen
class Service:
    """The identity of this process in the records.

    Attributes:
        name: ``service_name``.
        version: ``service_version``, or None.
        environment: ``deployment_environment``, or None.
        host: ``host_name``.
        instance: ``service_instance_id`` as configured, or empty: then each process has its own.
    """

    name: str
    version: str | None
    environment: str | None
    host: str
    instance: str = ""


def service_of(name: str, attributes: Mapping[str, str]) -> Service:
    """Read the identity from OpenTelemetry's variables.

    Args:
        name: ``OTEL_SERVICE_NAME``, or empty.
        attributes: ``OTEL_RESOURCE_ATTRIBUTES``.
    """
    environment = attributes.get("deployment.environment.name") or attributes.get("deployment.environment")
    return Service(
        name=name or attributes.get("service.name") or _program(),
        version=attributes.get("service.version") or None,
        environment=environment or None,
        host=attributes.get("host.name") or platform.node() or "unknown",
        instance=attributes.get("service.instance.id", ""),
    )


def new_instance() -> str:
    """Make the id of this process's life; a forked child makes another."""
    return uuid.uuid4().hex


def _program() -> str:
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    name = (
        str(spec.name).removesuffix(".__main__") if spec is not None else Path(sys.argv[0] or "python").stem
    )
    return "python" if name.startswith("-") or not name else name
