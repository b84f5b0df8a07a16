"""Destinations of alerts."""

from typing import Any

import pytest
from cqrs_local.emulation import Emulation

PATH = "/api/default/alerts/destinations"
GOOD = {"name": "d", "type": "http", "url": "http://127.0.0.1:9/hook?a=b", "method": "post", "template": "t"}


async def test_a_destination_is_made_changed_and_removed(api: Any) -> None:
    """The template need not exist yet on the newest version."""
    assert (await api.http.post(PATH, json=GOOD)).json()["message"] == "Destination saved"
    assert (await api.http.post(PATH, json=GOOD)).status_code == 400
    assert (await api.http.put(f"{PATH}/d", json={**GOOD, "headers": {"X": "1"}})).status_code == 200
    assert [(each["name"], each["headers"]) for each in (await api.http.get(PATH)).json()] == [
        ("d", {"X": "1"})
    ]
    assert (await api.http.delete(f"{PATH}/d")).status_code == 200
    assert [(await api.http.request(verb, f"{PATH}/d", json=GOOD)).status_code for verb in ("GET", "PUT", "DELETE")] == [
        404, 404, 404,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "email"},
        {"type": "sns"},
        {"method": "delete"},
        {"url": "ftp://host/"},
        {"url": "/etc/passwd"},
        {"url": "file:///etc/passwd"},
        {"headers": []},
        {"name": "a b"},
        {"template": ""},
    ],
)
async def test_what_cannot_be_sent_to_is_refused(api: Any, wrong: dict[str, object]) -> None:
    """400, and nothing is stored."""
    assert (await api.http.post(PATH, json={**GOOD, **wrong})).status_code == 400
    assert (await api.http.get(PATH)).json() == []


async def test_0_16_looks_for_the_template(open_api: Any) -> None:
    """An unknown one is its 500; without one the destination is for pipelines."""
    api = await open_api(emulation=Emulation.V0_16)

    assert (await api.http.post(PATH, json=GOOD)).status_code == 500
    assert (await api.http.post(PATH, json={**GOOD, "template": ""})).status_code == 200
