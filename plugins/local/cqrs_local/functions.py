"""Functions and pipelines of the server: none here, and said so instead of pretended."""

from cqrs_local.answers import Answer, json_answer, message
from cqrs_local.backend import Backend
from cqrs_local.requests import Request


async def list_functions(_request: Request, _backend: Backend) -> Answer:
    """There are none."""
    return json_answer({"list": []})


async def refuse(_request: Request, _backend: Backend) -> Answer:
    """Records are stored as they come."""
    return message(
        400, "the local server has no functions and pipelines: records are stored as the client sends them"
    )
