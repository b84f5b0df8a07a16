"""Sending a message to an address: one attempt, bounded in time, no redirects."""

import http.client
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import attrs

_SECONDS: Final = 10.0


@attrs.frozen
class Message:
    """What is sent.

    Attributes:
        url: http or https.
        method: in any case.
        headers: beside the content type, which is JSON unless they name another.
        body: text.
        verify: whether the certificate of an https address is checked.
    """

    url: str
    method: str
    headers: Mapping[str, str]
    body: str
    verify: bool = True


def send(message: Message) -> str:
    """Send a message; what went wrong, empty if it was taken. Blocks: call it in a thread."""
    parts = urlsplit(message.url)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    headers = {"content-type": "application/json", **message.headers}
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, verify=message.verify)
        try:
            connection.request(message.method.upper(), path, message.body.encode(), headers)
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    return "" if 200 <= status < 300 else f"the address answered {status}"


def _connection(scheme: str, host: str, port: int | None, *, verify: bool) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=_SECONDS)
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)
