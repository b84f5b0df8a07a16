"""What an alert sends, and where: the template and the destination; pure."""

from typing import Final

import orjson

from cqrs_openobserve.channels import Channel
from cqrs_openobserve.provision.ownership import MARK, stamped

TEMPLATE: Final = "cqrs_openobserve"
DESTINATION: Final = "cqrs_openobserve"
# The server fills these in; what it fills into JSON it escapes.
_WEBHOOK: Final = {
    "rule": "{alert_name}",
    "value": "{value}",
    "text": "{rows}",
    "link": "{alert_url}",
    "stream": "{stream_name}",
    "from": "{alert_start_time}",
    "to": "{alert_end_time}",
    "made_by": MARK,
}
_SLACK: Final = {"text": f"*{{alert_name}}*: {{rows}}\n{{alert_url}}\n_{MARK}_"}
_MAIL: Final = (
    f"{{alert_name}}: {{rows}}\n\nfrom {{alert_start_time}} to {{alert_end_time}}\n{{alert_url}}\n\n{MARK}\n"
)


def template(channel: Channel) -> dict[str, object]:
    """Give the body of the call that creates or replaces the template.

    Args:
        channel: what has to understand it.
    """
    if channel.kind == "email":
        mail = {"name": TEMPLATE, "type": "email", "title": "{alert_name}: {rows}", "body": _MAIL}
        return stamped(mail, "template", TEMPLATE)
    text = orjson.dumps(_SLACK if channel.kind == "slack" else _WEBHOOK).decode()
    return stamped({"name": TEMPLATE, "type": "http", "title": "", "body": text}, "template", TEMPLATE)


def destination(channel: Channel) -> dict[str, object]:
    """Give the body of the call that creates or replaces the destination.

    Args:
        channel: its address.
    """
    address = channel.address.reveal()
    known: dict[str, object] = {"name": DESTINATION, "template": TEMPLATE}
    if channel.kind == "email":  # nothing of it can hold the mark: it is ours by name and template
        return known | {"type": "email", "url": "", "emails": [address]}
    headers = {"X-Made-By": MARK}  # the mark: a destination has no description
    hook = {"type": "http", "url": address, "method": "post", "skip_tls_verify": False, "headers": headers}
    nobody: list[str] = []
    return stamped({**known, **hook, "emails": nobody}, "destination", DESTINATION)
