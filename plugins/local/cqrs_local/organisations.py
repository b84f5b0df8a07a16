"""`GET /api/organizations`."""

from cqrs_local.answers import Answer, json_answer
from cqrs_local.backend import Backend
from cqrs_local.requests import Request

_THRESHOLD = 9_383_939_382


async def list_organisations(_request: Request, backend: Backend) -> Answer:
    """Every organisation, by name."""
    user = backend.credentials.user
    orgs = sorted(backend.store.catalogue.orgs.items())
    return json_answer({"data": [_entry(name, number, user) for name, number in orgs]})


def _entry(name: str, number: int, user: str) -> dict[str, object]:
    return {
        "id": number,
        "identifier": name,
        "name": name,
        "user_email": user,
        "ingest_threshold": _THRESHOLD,
        "search_threshold": _THRESHOLD,
        "type": "default" if name == "default" else "custom",
        "UserObj": {"first_name": "", "last_name": "", "email": user},
        "plan": 0,
    }
