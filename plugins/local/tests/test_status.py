"""What anybody may ask."""

from typing import Any

import httpx
from cqrs_local.emulation import Emulation


async def test_health_and_version_need_no_credentials(anonymous: httpx.AsyncClient) -> None:
    """A client looks at both before it has any."""
    health, config = await anonymous.get("/healthz"), await anonymous.get("/config")

    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert (config.status_code, config.json()["version"]) == (200, Emulation.NEWEST.version)


async def test_the_configuration_tells_what_holds_here(api: Any) -> None:
    """The limit of rows is the one that searches have."""
    content = (await api.http.get("/config")).json()

    assert content["query_default_limit"] == api.server._limits.default_rows
    assert content["timestamp_column"] == "_timestamp"
