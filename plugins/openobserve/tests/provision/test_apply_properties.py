"""Whatever is wanted and whatever is there: one pass leads to the desired state, and what is foreign stays."""

from collections.abc import Callable
from typing import Any

import attrs
import orjson
from cqrs_openobserve.channels import parse_channel
from cqrs_openobserve.columns import columns_of
from cqrs_openobserve.configuration import read
from cqrs_openobserve.provision.actual import Actual, Found, read_actual
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.apply import apply
from cqrs_openobserve.provision.dashboards import Dashboard, Panel
from cqrs_openobserve.provision.desired import Desired, Wanted
from cqrs_openobserve.provision.difference import plan
from cqrs_openobserve.provision.messages import DESTINATION, TEMPLATE, destination, template
from cqrs_openobserve.provision.ownership import MARK, stamped
from cqrs_openobserve.provision.streams import Stream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

STREAMS = ("s_one", "s_two")
NAMES = ("cqrs_a", "cqrs_b", "cqrs_c")
TITLES = ("A", "B", "C")
URLS = ("webhook:https://hooks.example.com/one-1234", "slack:https://hooks.example.com/two-1234")
COLUMNS = columns_of("command")


@attrs.frozen
class Thing:
    """An alert or a dashboard that may be wanted, or there: whose it is, and which content of several it has."""

    name: str
    stream: str
    content: int
    ours: bool = True
    hand: bool = False
    copy: bool = False

    def alert(self) -> dict[str, Any]:
        """Its body."""
        sql = f'SELECT count(*) AS n FROM "{self.stream}" HAVING count(*) > {self.content}'
        body = AlertRule(self.name, f"d{self.content}", self.stream, sql, "{n}", 5 + self.content).body(
            [DESTINATION]
        )
        return self._written(body, {"row_template": "by hand"})

    def board(self) -> dict[str, Any]:
        """Its body."""
        panels = tuple(
            Panel(f"t{at}", "line", self.stream, "SELECT 1", {"y_axis_1": "a"}) for at in range(self.content)
        )
        return self._written(
            Dashboard(self.name, f"d{self.content}", panels).body(), {"role": "x", "tabs": []}
        )

    def _written(self, body: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
        if self.hand:
            body |= changed
        if self.copy:  # under a name of its own, with the description of what it was made from
            key = "name" if "name" in body else "title"
            return body | {key: "copied"}
        return body if self.ours else body | {"description": "somebody else's"}


def things(names: tuple[str, ...], *, there: bool) -> Any:
    made = st.builds(
        Thing,
        st.sampled_from(names),
        st.sampled_from(STREAMS),
        st.integers(0, 2),
        st.sampled_from((True, False)) if there else st.just(value=True),
        st.sampled_from((False, True)) if there else st.just(value=False),
        st.sampled_from((False, False, True)) if there else st.just(value=False),
    )
    if there:
        return st.lists(made, max_size=4)
    return st.lists(made, max_size=3, unique_by=lambda thing: thing.name)


def folder_body(kind: str, content: int) -> dict[str, object]:
    """The body of a folder of ours."""
    body = {"name": "CQRS", "description": f"{content} ({MARK})"}
    return stamped(body, "folder", f"{kind}/CQRS")


@st.composite
def wishes(draw: Any) -> Desired:
    """Any desired state; alerts come with what they need."""
    channel = draw(st.none() | st.sampled_from(URLS).map(parse_channel))
    streams = tuple(Stream(name, "command", COLUMNS, draw(st.sampled_from((0, 7)))) for name in STREAMS)
    kinds = ("dashboards", "alerts") if channel else ("dashboards",)
    folders = tuple(
        Wanted("folder", f"{kind}/CQRS", folder_body(kind, draw(st.integers(0, 1)))) for kind in kinds
    )
    boards = tuple(
        Wanted("dashboard", t.name, t.board(), "dashboards/CQRS") for t in draw(things(TITLES, there=False))
    )
    if channel is None:
        return Desired(streams, folders, dashboards=boards)
    alerts = tuple(
        Wanted("alert", t.name, t.alert(), "alerts/CQRS") for t in draw(things(NAMES, there=False))
    )
    return Desired(
        streams,
        folders,
        Wanted("template", TEMPLATE, template(channel)),
        Wanted("destination", DESTINATION, destination(channel)),
        alerts,
        boards,
        channel=channel,
    )


@attrs.frozen
class There:
    """What a server has before: parts of streams, folders, template and destination, alerts, dashboards."""

    columns: dict[str, int]
    folders: dict[str, bool]
    template: tuple[bool, str] | None
    alerts: list[Thing]
    boards: list[tuple[Thing, bool]]
    mail: bool


SERVERS = st.builds(
    There,
    st.dictionaries(st.sampled_from(STREAMS), st.sampled_from((1, 5, len(COLUMNS)))),
    st.dictionaries(st.sampled_from(("dashboards", "alerts")), st.booleans()),
    st.none() | st.tuples(st.booleans(), st.sampled_from(URLS)),
    things(NAMES, there=True),
    st.lists(
        st.tuples(things(TITLES, there=True).filter(bool).map(lambda found: found[0]), st.booleans()),
        max_size=4,
    ),
    st.booleans(),
)


class Filled:
    """Makes a server's state by the documented calls, as others do."""

    def __init__(self, direct: Any, there: There) -> None:
        self.direct, self.org = direct, direct.organization
        for name, count in there.columns.items():
            self.call(
                "POST", f"/streams/{name}?type=logs", Stream(name, "command", COLUMNS[:count]).creation()
            )
        keys = {kind: self.folder(kind, ours=ours) for kind, ours in there.folders.items()}
        for thing, inside in there.boards:
            folder = keys.get("dashboards", "default") if inside else "default"
            self.call("POST", f"/dashboards?folder={folder}", orjson.dumps(thing.board()))
        if there.template is None:
            return
        ours, url = there.template
        bodies = [template(parse_channel(url)), destination(parse_channel(url))]
        if not ours:
            bodies = [orjson.loads(orjson.dumps(body).replace(MARK.encode(), b"by hand")) for body in bodies]
        self.call("POST", "/alerts/templates", orjson.dumps(bodies[0]))
        self.call("POST", "/alerts/destinations", orjson.dumps(bodies[1]))
        for thing in there.alerts:
            if thing.stream in there.columns:
                folder = keys.get("alerts", "default")
                self.second("POST", f"/alerts?folder={folder}", orjson.dumps(thing.alert()))

    def call(self, method: str, path: str, body: bytes) -> None:
        """A call of the organisation that has to succeed."""
        answer = self.direct.call(
            method,
            path.partition("?")[0],
            dict([path.partition("?")[2].split("=")] if "?" in path else []),
            body,
        )
        assert answer.status == 200, answer

    def second(self, method: str, path: str, body: bytes) -> Any:
        """The same of the second version."""
        plain, _, query = path.partition("?")
        answer = self.direct.ask(
            method, f"/api/v2/{self.org}{plain}", dict([query.split("=")] if query else []), body
        )
        assert answer.status == 200, answer
        return answer.json()

    def folder(self, kind: str, *, ours: bool) -> str:
        """A folder of our name."""
        body = folder_body(kind, 0) if ours else {"name": "CQRS", "description": "somebody else's"}
        return str(self.second("POST", f"/folders/{kind}", orjson.dumps(body))["folderId"])


# Somebody's own that only sends our text; the local server itself sends no mail.
ONCALL = Found(
    "destination", "oncall", "oncall", {"type": "email", "template": TEMPLATE, "emails": ["a@b.c"]}
)


def theirs(found: Found) -> bool:
    """Whether nothing in it says that it was made as this very thing."""
    return f"{MARK} as {found.subject} {found.name}, " not in orjson.dumps(dict(found.body)).decode()


# An example is some sixty requests.
@settings(
    max_examples=settings.default.max_examples // 3,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(wanted=wishes(), there=SERVERS, prune=st.booleans())
def test_one_pass_leads_to_an_empty_plan_and_nothing_foreign_is_lost(
    one_server: Callable[[], Any], wanted: Desired, there: There, *, prune: bool
) -> None:
    """For any two states, with and without --prune; every foreign thing is there afterwards as it was."""
    direct = one_server()
    Filled(direct, there)
    configuration = read(
        {}, {"url": "http://127.0.0.1:9", "token": "a:b", "organization": direct.organization}
    ).unwrap()
    before = read_actual(configuration, direct, wanted)
    assert isinstance(before, Actual)
    seen = attrs.evolve(before, found=(*before.found, ONCALL)) if there.mail else before
    steps = list(
        apply(plan(wanted, seen, prune=prune), wanted, seen, configuration, direct, sleep=lambda _: None)
    )
    # Somebody else's template is in the way of all alerts: said each time, and never touched.
    blocked = ["template"] if wanted.channel and there.template and not there.template[0] else []
    assert [step.subject for step in steps if not step.ok] == blocked

    assert "oncall" not in {step.name for step in steps}
    after = read_actual(configuration, direct, wanted)
    assert isinstance(after, Actual)
    left = plan(wanted, after, prune=prune)
    assert not left.pending, left.changes
    assert [change.subject for change in left.stuck] == blocked
    there_now = {(found.subject, found.key): found.body for found in after.found}
    for found in before.found:
        if theirs(found):
            assert not found.ours
            assert there_now[found.subject, found.key] == found.body
        elif not prune:
            assert (found.subject, found.key) in there_now
