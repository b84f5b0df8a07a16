"""Templates of alerts."""

from typing import Any

import pytest

PATH = "/api/default/alerts/templates"
GOOD = {"name": "t", "type": "http", "title": "", "body": "{alert_name}"}


async def test_a_template_is_made_changed_and_removed(api: Any) -> None:
    """The name in the path counts."""
    assert (await api.http.post(PATH, json=GOOD)).json()["message"] == "Template saved"
    assert (await api.http.put(f"{PATH}/t", json={**GOOD, "name": "other", "body": "new"})).status_code == 200
    assert [(each["name"], each["body"]) for each in (await api.http.get(PATH)).json()] == [("t", "new")]
    assert (await api.http.delete(f"{PATH}/t")).status_code == 200
    assert [(await api.http.request(verb, f"{PATH}/t", json=GOOD)).status_code for verb in ("GET", "PUT", "DELETE")] == [
        404, 404, 404,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "a#b", "a?b", "a'b", 'a"b', "a%b", "a&b"])
async def test_some_characters_are_not_for_names(api: Any, name: str) -> None:
    """They would not survive a URL."""
    assert (await api.http.post(PATH, json={**GOOD, "name": name})).status_code == 400


@pytest.mark.parametrize("wrong", [{"body": ""}, {"type": "email"}])
async def test_a_template_that_cannot_be_sent_is_refused(api: Any, wrong: dict[str, str]) -> None:
    """Without a text, or a mail without a title."""
    assert (await api.http.post(PATH, json={**GOOD, **wrong})).status_code == 400
