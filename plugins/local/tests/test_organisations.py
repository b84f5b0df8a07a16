"""The list of organisations."""

from typing import Any


async def test_the_organisation_of_the_start_is_there(api: Any) -> None:
    """With the user who owns it."""
    (entry,) = (await api.http.get("/api/organizations")).json()["data"]

    assert (entry["identifier"], entry["type"], entry["user_email"]) == (
        "default",
        "default",
        "root@example.com",
    )


async def test_an_organisation_made_by_a_record_survives_a_restart(api: Any, open_api: Any) -> None:
    """It is in the log with the record."""
    await api.http.post("/api/typo/s/_json", json=[{"a": 1}])
    await api.server.close()
    reopened = await open_api()
    data = (await reopened.http.get("/api/organizations")).json()["data"]

    assert [(entry["identifier"], entry["type"]) for entry in data] == [
        ("default", "default"),
        ("typo", "custom"),
    ]
