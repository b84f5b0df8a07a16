"""Whether columns, alerts and dashboards are as the plan wants them, and whether alerts are on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cqrs_openobserve.answers import one_line
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.lines import Line, Status
from cqrs_openobserve.provision.actual import read_actual
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.desired import Subject, desired
from cqrs_openobserve.provision.difference import Change, Plan, plan
from cqrs_openobserve.provision.server import Refusal, Server

_MOST: Final = 400
_INIT: Final = "cqrs openobserve init"
_PLURAL: Final[Mapping[Subject, str]] = {
    "stream": "streams",
    "folder": "folders",
    "template": "templates",
    "destination": "destinations",
    "alert": "alerts",
    "dashboard": "dashboards",
}


def look(configuration: Configuration, server: Server, rules: Sequence[AlertRule] = ()) -> Plan | Refusal:
    """Make the plan of what ``init`` would do; nothing is changed.

    Args:
        configuration: what should be there.
        server: with full credentials.
        rules: of the user's own.

    Returns:
        The plan, or why the server's state cannot be told.
    """
    wanted = desired(configuration, rules)
    there = read_actual(configuration, server, wanted)
    return there if isinstance(there, Refusal) else plan(wanted, there)


def judge(found: Plan | Refusal) -> list[Line]:
    """Tell what is not as the plan wants it.

    Args:
        found: what ``look`` gave.
    """
    if isinstance(found, Refusal):
        return [Line("provisioning", "plan", "warn", found.text, found.hint)]
    return [
        *_unchanged(found.changes),
        *(line for change in found.changes for line in _changed(change)),
        *_skipped(found.changes),
    ]


def _unchanged(changes: Sequence[Change]) -> Iterator[Line]:
    for subject in ("stream", "alert", "dashboard"):
        every = [change for change in changes if change.subject == subject]
        same = [change for change in every if change.kind == "unchanged"]
        if same:
            on = " and are enabled" if subject == "alert" else ""
            text = f"{len(same)} of {len(every)} {_PLURAL[subject]} equal the plan{on}"
            yield Line("provisioning", _PLURAL[subject], "ok", text)


def _changed(change: Change) -> Iterator[Line]:
    name = one_line(change.name)[:_MOST]
    what = f"the {change.subject} {name}"
    if change.kind == "create":
        if change.subject != "stream":  # told with the streams
            status: Status = "fail" if change.subject == "alert" else "warn"
            yield Line("provisioning", name, status, f"{what} does not exist", _INIT)
    elif change.kind in {"update", "drift"}:
        yield _differs(change, name, what)
    elif change.kind == "foreign" and change.subject in {"template", "destination"}:
        text = f"{what}: {change.text}, so there are no alerts"
        yield Line("provisioning", name, "fail", text, change.hint or _INIT)


def _differs(change: Change, name: str, what: str) -> Line:
    text = one_line(change.text)[:_MOST]
    if not change.mended:
        return Line("provisioning", name, "fail", f"column types of {name} conflict: {text}", change.hint)
    if any(field.path == "enabled" for field in change.fields):
        return Line("provisioning", name, "fail", f"{what} is disabled, so it never fires", _INIT)
    return Line(
        "provisioning", name, "warn", f"{what} {text}", f"cqrs openobserve plan shows it, {_INIT} mends it"
    )


def _skipped(changes: Sequence[Change]) -> Iterator[Line]:
    # One line for each reason: without a channel all alerts are skipped.
    reasons: dict[tuple[Subject, str, str], list[str]] = {}
    for change in changes:
        if change.kind == "skipped":
            key = (change.subject, change.text, change.hint)
            reasons.setdefault(key, []).append(one_line(change.name)[:_MOST])
    for (subject, text, hint), names in reasons.items():
        told = f"{', '.join(names)}: {one_line(text)[:_MOST]}"
        yield Line("provisioning", f"skipped {_PLURAL[subject]}", "warn", told, hint)
