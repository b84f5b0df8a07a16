"""What anybody may ask: is the server up, and what is it."""

from typing import Final

from cqrs_local.answers import Answer, json_answer
from cqrs_local.backend import Backend
from cqrs_local.emulation import Emulation
from cqrs_local.requests import Request

_ALL_VERSIONS: Final = ("body", "content", "data", "error", "json", "log", "message", "msg")
TEXT_FIELDS: Final = {
    Emulation.V0_16: (*_ALL_VERSIONS, "errors"),
    Emulation.NEWEST: (*_ALL_VERSIONS, "llm_input", "llm_output"),
}


async def healthz(_request: Request, _backend: Backend) -> Answer:
    """`GET /healthz`."""
    return json_answer({"status": "ok"})


async def passcode(_request: Request, backend: Backend) -> Answer:
    """`GET /api/{org}/passcode`: the secret that reaches ingestion alone, the same for every organisation."""
    secret = backend.credentials.ingestion_token.reveal()
    return json_answer({"data": {"passcode": secret, "user": backend.credentials.user}})


async def config(_request: Request, backend: Backend) -> Answer:
    """`GET /config`: the version whose behaviour this server has, and what a client may depend on."""
    return json_answer(
        {
            "version": backend.emulation.version,
            "build_type": "opensource",
            "timestamp_column": "_timestamp",
            "default_fts_keys": sorted(TEXT_FIELDS[backend.emulation]),
            "data_retention_days": backend.store.settings.retention_days,
            "query_default_limit": backend.limits.default_rows,
            "ingest_flatten_level": 3,
            "sql_base64_enabled": False,
            "telemetry_enabled": False,
            "rbac_enabled": False,
            "sso_enabled": False,
            "native_login_enabled": True,
        }
    )
