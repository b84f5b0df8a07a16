"""What an alert sends, and where."""

import json
from typing import Any

import pytest
from cqrs_openobserve.channels import parse_channel
from cqrs_openobserve.provision.messages import destination, template
from cqrs_openobserve.provision.ownership import is_ours

CHANNELS = [
    "webhook:https://hooks.example.com/a",
    "slack:https://hooks.slack.com/services/T/B/x",
    "email:a@example.com",
]


@pytest.mark.parametrize("text", CHANNELS)
def test_the_template_names_rule_value_and_link(text: str) -> None:
    """And carries the mark; of a webhook and of Slack it is JSON."""
    body: Any = template(parse_channel(text))
    assert is_ours(body, "template", "cqrs_openobserve")
    for variable in ("{alert_name}", "{rows}", "{alert_url}"):
        assert variable in body["body"]
    if text.startswith("email"):
        assert (body["type"], bool(body["title"])) == ("email", True)
    else:
        assert isinstance(json.loads(body["body"]), dict)


def test_a_webhook_gets_rule_value_and_link_under_their_names() -> None:
    """The value as a number of its own, and in words."""
    content = json.loads(str(template(parse_channel(CHANNELS[0]))["body"]))
    assert {"rule", "value", "text", "link"} <= set(content)


@pytest.mark.parametrize("text", CHANNELS)
def test_the_destination_names_its_template(text: str) -> None:
    """A destination without one is taken for one of pipelines."""
    channel = parse_channel(text)
    body = destination(channel)
    assert body["template"] == template(channel)["name"]
    assert channel.address.reveal() in (body.get("url"), *body["emails"])  # type: ignore[misc]  # it is a list
    assert is_ours(body, "destination", "cqrs_openobserve") is (channel.kind != "email")
