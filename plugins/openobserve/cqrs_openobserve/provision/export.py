"""The desired state as files that others can send to a server with any HTTP client; pure."""

import re
from collections.abc import Container, Iterator
from itertools import count
from typing import Final

import attrs
import orjson

from cqrs_openobserve.provision.desired import Desired, Wanted
from cqrs_openobserve.provision.streams import Stream

ADDRESS: Final = "$CQRS_ALERT_ADDRESS"
README: Final = "README.md"
_TITLE: Final = "# What `cqrs openobserve export` wrote"
_CALLS: Final = f"""{_TITLE}

The bodies of the calls that make streams, folders, channel, alerts and dashboards on an OpenObserve server, in this
order. `$API` is `https://HOST/api/ORGANISATION`, `$API2` is `https://HOST/api/v2/ORGANISATION`; send
`Content-Type: application/json` and credentials that may do more than send.

| file | call |
|---|---|
"""
# Only paths that files() could have made: a table that somebody changed leads nowhere else.
_ROW: Final = re.compile(
    r"^\| `((?:(?:streams|folders|alerts|dashboards)/)?[a-z0-9_][a-z0-9._-]*\.json)` \|", re.MULTILINE
)
_NOTE: Final = f"""
`$FOLDER` is the `folderId` that making the folder answered. In `destination.json` put the channel's address in the
place of `{ADDRESS}`: it is a secret, and not in these files. `cqrs openobserve plan` then finds nothing to do.
"""


def files(desired: Desired) -> dict[str, bytes]:
    """Give the files by their relative paths; no two paths differ only in case.

    Args:
        desired: what should be there.
    """
    found: dict[str, bytes] = {}
    rows = ""
    streams = (call for stream in desired.streams for call in _stream(stream))
    for wished, call, body in (*streams, *map(_thing, desired.marked())):
        path = _free(wished, found)
        found[path] = body
        rows += f"| `{path}` | `{call}` |\n"
    return {README: f"{_CALLS}{rows}{_NOTE}".encode(), **found}


def listed(readme: str) -> frozenset[str]:
    """Give the files that an earlier export wrote, ``README.md`` among them.

    Args:
        readme: the text of ``README.md``.

    Returns:
        Their relative paths; none if no export wrote it.
    """
    if not readme.startswith(f"{_TITLE}\n"):
        return frozenset()
    return frozenset({README, *_ROW.findall(readme)})


def _free(path: str, taken: Container[str]) -> str:
    # Names of rules may differ in case alone, and there are file systems on which that is no difference.
    stem = path.removesuffix(".json")
    return next(name for at in count(1) if (name := path if at == 1 else f"{stem}-{at}.json") not in taken)


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
