"""What anybody may ask: is the server up, and what is it."""

from typing import Final

from cqrs_local.answers import Answer, json_answer
from cqrs_local.backend import Backend
from cqrs_local.requests import Request

VERSION: Final = "v0.92.2"
TEXT_FIELDS: Final = (
    "body",
    "content",
    "data",
    "error",
    "json",
    "llm_input",
    "llm_output",
    "log",
    "message",
    "msg",
)


async def healthz(_request: Request, _backend: Backend) -> Answer:
    """`GET /healthz`."""
    return json_answer({"status": "ok"})


async def config(_request: Request, backend: Backend) -> Answer:
    """`GET /config`: the version whose behaviour this server has, and what a client may depend on."""
    return json_answer(
        {
            "version": VERSION,
            "build_type": "opensource",
            "timestamp_column": "_timestamp",
            "default_fts_keys": TEXT_FIELDS,
            "query_default_limit": backend.limits.default_rows,
            "ingest_flatten_level": 3,
            "sql_base64_enabled": False,
            "telemetry_enabled": False,
            "rbac_enabled": False,
            "sso_enabled": False,
            "native_login_enabled": True,
        }
    )
