"""The desired state as files that others can send to a server with any HTTP client; pure."""

import re
from collections.abc import Iterator
from typing import Final

import attrs
import orjson

from cqrs_openobserve.provision.desired import Desired, Wanted
from cqrs_openobserve.provision.streams import Stream

ADDRESS: Final = "$CQRS_ALERT_ADDRESS"
_CALLS: Final = """# What `cqrs openobserve export` wrote

The bodies of the calls that make streams, folders, channel, alerts and dashboards on an OpenObserve server, in this
order. `$API` is `https://HOST/api/ORGANISATION`, `$API2` is `https://HOST/api/v2/ORGANISATION`; send
`Content-Type: application/json` and credentials that may do more than send.

| file | call |
|---|---|
"""
_NOTE: Final = f"""
`$FOLDER` is the `folderId` that making the folder answered. In `destination.json` put the channel's address in the
place of `{ADDRESS}`: it is a secret, and not in these files. `cqrs openobserve plan` then finds nothing to do.
"""


def files(desired: Desired) -> dict[str, bytes]:
    """Give the files by their relative paths.

    Args:
        desired: what should be there.
    """
    calls = [
        *(call for stream in desired.streams for call in _stream(stream)),
        *map(_thing, desired.marked()),
    ]
    found = {path: body for path, _, body in calls}
    rows = "".join(f"| `{path}` | `{call}` |\n" for path, call, _ in calls)
    return {**found, "README.md": f"{_CALLS}{rows}{_NOTE}".encode()}


def _stream(stream: Stream) -> Iterator[tuple[str, str, bytes]]:
    path = f"streams/{_file(stream.name)}"
    yield (
        f"{path}.json",
        f"POST $API/streams/{stream.name}?type=logs",
        _pretty(orjson.loads(stream.creation())),
    )
    settings: dict[str, object] = {"index_fields": {"add": list(stream.indexed), "remove": list[str]()}}
    if stream.retention:
        settings["data_retention"] = stream.retention
    yield f"{path}.settings.json", f"PUT $API/streams/{stream.name}/settings?type=logs", _pretty(settings)


def _thing(wanted: Wanted) -> tuple[str, str, bytes]:
    if wanted.subject == "folder":
        kind = wanted.name.partition("/")[0]
        return f"folders/{kind}.json", f"POST $API2/folders/{kind}", _pretty(wanted.body)
    if wanted.subject == "alert":
        return f"alerts/{_file(wanted.name)}.json", "POST $API2/alerts?folder=$FOLDER", _pretty(wanted.body)
    if wanted.subject == "dashboard":
        return (
            f"dashboards/{_file(wanted.name)}.json",
            "POST $API/dashboards?folder=$FOLDER",
            _pretty(wanted.body),
        )
    if wanted.subject == "destination":
        wanted = attrs.evolve(wanted, body=_without_address(dict(wanted.body)))
    return f"{wanted.subject}.json", f"POST $API/alerts/{wanted.subject}s", _pretty(wanted.body)


def _without_address(body: dict[str, object]) -> dict[str, object]:
    return body | ({"emails": [ADDRESS]} if body.get("emails") else {"url": ADDRESS})


def _file(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-").lower()


def _pretty(body: object) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n"
