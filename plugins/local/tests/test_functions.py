"""What is not here."""

from typing import Any


async def test_functions_and_pipelines_are_refused_in_words(api: Any) -> None:
    """Nobody takes them for stored; the list is empty."""
    for what in ("functions", "pipelines"):
        answer = await api.http.post(f"/api/default/{what}", json={"name": "mask"})
        assert (answer.status_code, "no functions and pipelines" in answer.json()["message"]) == (400, True)
    assert (await api.http.get("/api/default/functions")).json() == {"list": []}
