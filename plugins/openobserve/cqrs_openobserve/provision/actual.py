"""The state that the server is in, as far as it can be compared with the desired one."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast, final
from urllib.parse import quote

import attrs

from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.json_values import mapping, sequence
from cqrs_openobserve.provision.desired import Desired, Subject
from cqrs_openobserve.provision.messages import DESTINATION, TEMPLATE
from cqrs_openobserve.provision.ownership import is_ours
from cqrs_openobserve.provision.queries import number, select
from cqrs_openobserve.provision.server import (
    Refusal,
    Server,
    content,
    encoded,
    refusal,
    rows_of,
    second_version,
)
from cqrs_openobserve.provision.streams import Stream, compare, schema_of

_LOGS: Final = {"type": "logs"}
_DEFAULT: Final = "default"
_MONTH_US: Final = 30 * 86_400_000_000


@final
@attrs.frozen
class ActualStream:
    """A stream that exists.

    Attributes:
        name: the server's name of it.
        schema: types by column.
        settings: the server's settings of it.
        since: by widened column when its first stray value came, in µs since the Unix epoch, where that can be told.
    """

    name: str
    schema: Mapping[str, str]
    settings: Mapping[str, object] = attrs.Factory(dict[str, object])
    since: Mapping[str, int] = attrs.Factory(dict[str, int])


@final
@attrs.frozen
class Found:
    """Something that exists.

    Attributes:
        subject: what it is.
        key: what the server calls it: its id, of templates and destinations their name.
        name: what people call it; of a folder with the kind of things in it, ``dashboards/CQRS``.
        body: its content.
        folder: the id of its folder; empty for none.
        hash: of a dashboard, what a change has to name.
    """

    subject: Subject
    key: str
    name: str
    body: Mapping[str, object]
    folder: str = ""
    hash: str = ""

    @property
    def ours(self) -> bool:
        """Whether ``init`` made it."""
        # A destination of mail holds no text that could be marked: name and template are all there is.
        mail = (self.subject, self.name, self.body.get("type")) == ("destination", DESTINATION, "email")
        marked = is_ours(dict(self.body), self.subject, self.name)
        return marked or (mail and self.body.get("template") == TEMPLATE)


@final
@attrs.frozen
class Actual:
    """What is there.

    Attributes:
        streams: of those that should be there, those that are.
        found: everything else that may be ours or has the name of something of ours.
    """

    streams: tuple[ActualStream, ...] = ()
    found: tuple[Found, ...] = ()

    def stream(self, name: str) -> ActualStream | None:
        """Give a stream; None if it is not there.

        Args:
            name: the server's name of it.
        """
        return next((stream for stream in self.streams if stream.name == name), None)

    def named(self, subject: Subject, name: str) -> tuple[Found, ...]:
        """Give what has a name; ours come first.

        Args:
            subject: what it is.
            name: what people call it.
        """
        every = [each for each in self.found if (each.subject, each.name) == (subject, name)]
        return tuple(sorted(every, key=lambda each: (not each.ours, each.key)))


@final
class _Unreadable(Exception):  # noqa: N818 - carries a value to where it is returned
    def __init__(self, refused: Refusal) -> None:
        super().__init__(refused.text)
        self.refused = refused


def read_actual(configuration: Configuration, server: Server, desired: Desired) -> Actual | Refusal:
    """Ask the server what is there; nothing is changed.

    Args:
        configuration: names the organisation.
        server: with full credentials.
        desired: what it will be compared with; what that does not want is not asked for.

    Returns:
        What is there, or why that cannot be told.
    """
    reader = _Reader(configuration, server)
    try:
        return Actual(
            tuple(found for stream in desired.streams if (found := reader.stream(stream)) is not None),
            tuple(reader.everything(desired)),
        )
    except _Unreadable as unreadable:
        return unreadable.refused


def read_stream(
    configuration: Configuration, server: Server, stream: Stream
) -> ActualStream | Refusal | None:
    """Ask the server for one stream.

    Args:
        configuration: names the organisation.
        server: with full credentials.
        stream: as it should be.

    Returns:
        What is there, None if it is not there, or why that cannot be told.
    """
    try:
        return _Reader(configuration, server).stream(stream)
    except _Unreadable as unreadable:
        return unreadable.refused


@final
class _Reader:
    def __init__(self, configuration: Configuration, server: Server) -> None:
        self._configuration = configuration
        self._server = server

    def stream(self, stream: Stream) -> ActualStream | None:
        answer = self._server.call("GET", f"/streams/{quote(stream.name, safe='')}/schema", _LOGS)
        if isinstance(answer, Answer) and answer.status == 404 and isinstance(answer.json(), dict):
            return None
        schema = schema_of(content(answer))
        if schema is None:
            raise self._unreadable(answer)
        settings = mapping(mapping(content(answer)).get("settings"))
        widened = [column.name for column, _ in compare(stream, schema).widened if column.type != "Utf8"]
        since = {name: at for name in widened if (at := self._since(stream, name)) is not None}
        return ActualStream(stream.name, schema, settings, since)

    def everything(self, desired: Desired) -> Iterator[Found]:
        folders = [*self._folders("dashboards"), *(self._folders("alerts") if desired.alerting else ())]
        yield from folders
        if desired.alerting:
            yield from self._listed("template", "/alerts/templates")
            yield from self._listed("destination", "/alerts/destinations")
            yield from self._alerts({wanted.name for wanted in desired.alerts})
        # The default folder too: a dashboard that was imported through the user interface is there.
        names = {wanted.name for wanted in desired.folders}
        keys = [
            folder.key for folder in folders if folder.name in names and folder.name.startswith("dashboards/")
        ]
        for key in dict.fromkeys([*keys, _DEFAULT]):
            yield from self._dashboards(key)

    def _folders(self, kind: str) -> Iterator[Found]:
        body = self._second("GET", f"/folders/{kind}")
        for folder in map(mapping, _list(body, "list")):
            yield Found("folder", str(folder.get("folderId")), f"{kind}/{folder.get('name')}", folder)

    def _listed(self, subject: Subject, path: str) -> Iterator[Found]:
        answer = self._server.call("GET", path)
        listed = content(answer)
        if not isinstance(listed, list):
            raise self._unreadable(answer)
        for each in map(mapping, sequence(cast("object", listed))):
            yield Found(subject, str(each.get("name")), str(each.get("name")), each)

    def _alerts(self, names: set[str]) -> Iterator[Found]:
        for entry in map(mapping, _list(self._second("GET", "/alerts"), "list")):
            name = str(entry.get("name"))
            if name in names or is_ours(entry.get("description"), "alert", name):
                key, folder = str(entry.get("alert_id")), str(entry.get("folder_id") or "")
                rule = mapping(self._second("GET", f"/alerts/{quote(key, safe='')}"))
                yield Found("alert", key, str(rule.get("name")), rule, folder)

    def _dashboards(self, folder: str) -> Iterator[Found]:
        answer = self._server.call("GET", "/dashboards", {"folder": folder})
        if isinstance(answer, Answer) and answer.status == 404 and folder == _DEFAULT:
            return
        for entry in map(mapping, _list(self._readable(answer), "dashboards")):
            body = mapping(entry.get(f"v{entry.get('version')}"))
            key = str(entry.get("dashboard_id") or body.get("dashboardId"))
            yield Found("dashboard", key, str(body.get("title")), body, folder, str(entry.get("hash")))

    def _since(self, stream: Stream, column: str) -> int | None:
        """When the first value came that is no number; only asked of columns that have one."""
        stray = f"{column} IS NOT NULL AND {number(column)} IS NULL"
        sql = select(stream.name, {"since": "min(_timestamp)", "strays": "count(*)"}, stray)
        now = time.time_ns() // 1000
        query = {
            "sql": sql,
            "start_time": now - _MONTH_US,
            "end_time": now + 60_000_000,
            "from": 0,
            "size": 1,
        }
        answer = self._server.call(
            "POST", "/_search", {"type": "logs", "use_cache": "false"}, encoded({"query": query})
        )
        hits = rows_of(answer)
        since = mapping(hits[0]).get("since") if hits else None
        return since if isinstance(since, int) and not isinstance(since, bool) else None

    def _second(self, method: str, path: str) -> object:
        return self._readable(self._server.ask(method, second_version(self._configuration, path)))

    def _readable(self, answer: Answer | Trouble) -> object:
        found = content(answer)
        if not isinstance(found, dict):
            raise self._unreadable(answer)
        return mapping(cast("object", found))

    def _unreadable(self, answer: Answer | Trouble) -> _Unreadable:
        return _Unreadable(refusal(self._configuration, answer))


def _list(body: object, name: str) -> Sequence[object]:
    return sequence(mapping(body).get(name))
