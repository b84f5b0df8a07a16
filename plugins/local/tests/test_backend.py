"""What handlers work with."""

from typing import Any


async def test_an_open_server_has_all_parts(api: Any) -> None:
    """And hands its own limits to every handler."""
    backend = api.server.app.backend

    assert backend.limits is api.server._limits
    assert backend.credentials.token == api.server.token
    assert backend.store.now() > 0
    assert backend.engine is not None
