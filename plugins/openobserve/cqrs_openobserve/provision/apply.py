"""Brings the server into the desired state, step by step; stopped anywhere, the next run goes on from there."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, final
from urllib.parse import quote

import attrs

from cqrs.clock import Clock, SystemClock
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.json_values import mapping
from cqrs_openobserve.provision.actual import Actual, Found
from cqrs_openobserve.provision.desired import Desired, Subject, Wanted
from cqrs_openobserve.provision.difference import Change, ChangeKind, Plan
from cqrs_openobserve.provision.ownership import is_ours
from cqrs_openobserve.provision.server import (
    Refusal,
    Server,
    admin_hint,
    content,
    encoded,
    refusal,
    second_version,
    succeeded,
)
from cqrs_openobserve.provision.stream_steps import StreamSteps

__all__ = ["Server", "Step", "admin_hint", "apply"]

_DONE: Final[Mapping[ChangeKind, str]] = {
    "create": "created",
    "update": "changed",
    "drift": "changed",
    "remove": "removed",
}
_SSRF: Final = (
    "this server refuses addresses of its own machine or network: name one that it may reach, or start it with"
    " ZO_SSRF_ALLOW_LOOPBACK=true (from v0.80; v0.60 to v0.70 have no switch)."
)


@final
@attrs.frozen
class Step:
    """One step and what it came to.

    Attributes:
        subject: what it was about.
        name: what people call it.
        did: ``created``, ``changed``, ``removed``, ``unchanged``, ``foreign``, ``skipped`` or ``failed``.
        text: one line about it.
        hint: what to do about it.
    """

    subject: Subject
    name: str
    did: str
    text: str = ""
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.did != "failed"


def apply(
    plan: Plan,
    desired: Desired,
    actual: Actual,
    configuration: Configuration,
    server: Server,
    *,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Step]:
    """Do what a plan says.

    Args:
        plan: made of the two states.
        desired: what should be there.
        actual: what was there.
        configuration: names the organisation.
        server: with full credentials.
        clock: tells the time.
        sleep: waits, in seconds.

    Yields:
        Each step when it is done; after one that no other can follow, no more.
    """
    work = _Work(
        desired,
        actual,
        configuration,
        server,
        StreamSteps(configuration, server, clock or SystemClock(), sleep),
    )
    for change in plan.changes:
        yield work.step(change)
        if work.hopeless:
            return


@final
class _Work:
    def __init__(
        self,
        desired: Desired,
        actual: Actual,
        configuration: Configuration,
        server: Server,
        streams: StreamSteps,
    ) -> None:
        self._configuration = configuration
        self._server = server
        self._streams = streams
        self._stream_values = {stream.name: stream for stream in desired.streams}
        self._wanted = {(wanted.subject, wanted.name): wanted for wanted in desired.marked()}
        self._found = {(found.subject, found.key): found for found in actual.found}
        self._folders = {
            name: found[0].key for name in _folders(desired) if (found := actual.named("folder", name))
        }
        self._failed: set[str] = set()
        self.hopeless = False

    def step(self, change: Change) -> Step:
        if not change.mended:
            return Step(change.subject, change.name, "failed", change.text, change.hint)
        if change.kind in {"unchanged", "foreign", "skipped"}:
            return Step(change.subject, change.name, change.kind, change.text, change.hint)
        done = self._needs(change) or self._carry_out(change)
        if isinstance(done, str):
            return Step(change.subject, change.name, _DONE[change.kind], done or change.text)
        self.hopeless = done.final
        self._failed |= {change.subject, change.name}
        return Step(change.subject, change.name, "failed", done.text, done.hint)

    def _needs(self, change: Change) -> Refusal | None:
        """What a thing cannot do without, if making that failed before: the server would take it all the same."""
        needed = {"destination": ["template"], "alert": ["template", "destination"]}.get(change.subject, [])
        wanted = self._wanted.get((change.subject, change.name))
        if wanted is not None:
            needed = [*needed, wanted.folder, str(wanted.body.get("stream_name"))]
        missing = next((name for name in needed if name in self._failed), None)
        if missing is None or change.kind == "remove":
            return None
        return Refusal(f"it needs {missing}, which failed", "mend that one, and run init again.")

    def _carry_out(self, change: Change) -> str | Refusal:
        if change.subject == "stream":
            return self._streams.carry_out(self._stream_values[change.name], change)
        if change.kind == "remove":
            return self._remove(self._found[change.subject, change.key])
        wanted = self._wanted[change.subject, change.name]
        if change.kind == "create":
            return self._create(wanted)
        return self._replace(wanted, self._found[change.subject, change.key])

    def _create(self, wanted: Wanted) -> str | Refusal:
        body = encoded(wanted.body)
        if wanted.subject == "folder":
            answer = self._second("POST", f"/folders/{wanted.name.partition('/')[0]}", body)
            key = mapping(content(answer)).get("folderId")
            if not isinstance(key, str | int):
                return refusal(self._configuration, answer)
            self._folders[wanted.name] = str(key)
            return ""
        folder = {"folder": self._folders.get(wanted.folder, "default")}
        if wanted.subject == "alert":
            return self._judged(self._second("POST", "/alerts", body, folder))
        if wanted.subject == "dashboard":
            return self._judged(self._server.call("POST", "/dashboards", folder, body))
        return self._judged(self._server.call("POST", f"/alerts/{wanted.subject}s", None, body))

    def _replace(self, wanted: Wanted, found: Found) -> str | Refusal:
        body, key = encoded(wanted.body), quote(found.key, safe="")
        if wanted.subject == "folder":
            kind = wanted.name.partition("/")[0]
            return self._judged(self._second("PUT", f"/folders/{kind}/{key}", body))
        if wanted.subject == "alert":
            return self._judged(self._second("PUT", f"/alerts/{key}", body))
        if wanted.subject == "dashboard":
            return self._replace_dashboard(wanted, found)
        return self._judged(self._server.call("PUT", f"/alerts/{wanted.subject}s/{key}", None, body))

    def _replace_dashboard(self, wanted: Wanted, found: Found) -> str | Refusal:
        path, body = f"/dashboards/{quote(found.key, safe='')}", encoded(wanted.body)
        answer = self._server.call("PUT", path, {"folder": found.folder, "hash": found.hash}, body)
        if not (isinstance(answer, Answer) and answer.status == 409):
            return self._judged(answer)
        # Somebody saved it since it was read: one more look, at whose it is now, and one more try.
        now = mapping(content(self._server.call("GET", path)))
        theirs = not is_ours(dict(mapping(now.get(f"v{now.get('version')}"))), "dashboard", wanted.name)
        if theirs:
            return Refusal("somebody else has just made it theirs", "look at it, and run init again.")
        query = {"folder": found.folder, "hash": str(now.get("hash"))}
        again = self._server.call("PUT", path, query, body)
        if isinstance(again, Answer) and again.status == 409:
            return Refusal("somebody is changing it at this moment", "run init again when they are done.")
        return self._judged(again)

    def _remove(self, found: Found) -> str | Refusal:
        key = quote(found.key, safe="")
        if found.subject == "alert":
            answer = self._second("DELETE", f"/alerts/{key}")
        elif found.subject == "dashboard":
            answer = self._server.call("DELETE", f"/dashboards/{key}", {"folder": found.folder})
        else:
            answer = self._server.call("DELETE", f"/alerts/{found.subject}s/{key}")
        gone = isinstance(answer, Answer) and answer.status == 404 and isinstance(answer.json(), dict)
        return "" if gone else self._judged(answer)

    def _judged(self, answer: Answer | Trouble) -> str | Refusal:
        if succeeded(answer):
            return ""
        refused = refusal(self._configuration, answer)
        return attrs.evolve(refused, hint=_SSRF) if "SSRF" in refused.text else refused

    def _second(
        self, method: str, path: str, body: bytes = b"", query: dict[str, str] | None = None
    ) -> Answer | Trouble:
        return self._server.ask(method, second_version(self._configuration, path), query, body)


def _folders(desired: Desired) -> Iterator[str]:
    yield from (wanted.name for wanted in desired.folders)
