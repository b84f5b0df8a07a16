"""What has to be done to get from the actual to the desired state; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, cast, final

import attrs

from cqrs_openobserve.channels import masked_url
from cqrs_openobserve.json_values import mapping, moment, sequence
from cqrs_openobserve.provision.actual import Actual, ActualStream, Found
from cqrs_openobserve.provision.desired import Desired, Subject, Wanted
from cqrs_openobserve.provision.ownership import fingerprint, plain_text
from cqrs_openobserve.provision.streams import Stream, compare

ChangeKind = Literal["create", "update", "unchanged", "drift", "foreign", "skipped", "remove"]
_PENDING: Final = frozenset({"create", "update", "drift", "remove"})
_DEEPEST: Final = 32
_IN_THE_WAY: Final = frozenset({"template", "destination"})
_UNIQUE: Final = frozenset({"folder", "template", "destination"})
_REMOVABLE: Final[tuple[Subject, ...]] = ("alert", "dashboard", "destination", "template")


@final
@attrs.frozen
class FieldChange:
    """One field that is not as it should be.

    Attributes:
        path: where it stands, with dots and indices.
        wanted: as it should be; None for not at all.
        found: as it is; None for not at all.
    """

    path: str
    wanted: object
    found: object


@final
@attrs.frozen
class Change:
    """What becomes of one thing.

    Attributes:
        kind: ``create`` it; ``update`` it, since another state is wanted; ``drift``, changed by hand or by stray
            values, is mended; ``unchanged``; ``foreign``, somebody else's and never touched; ``skipped``; ``remove``.
        subject: what it is.
        name: what people call it.
        fields: what is not as it should be.
        text: one line about it.
        hint: what a person can do.
        key: the server's id of what exists.
        mended: whether applying the plan puts it right.
    """

    kind: ChangeKind
    subject: Subject
    name: str
    fields: tuple[FieldChange, ...] = ()
    text: str = ""
    hint: str = ""
    key: str = ""
    mended: bool = True


@final
@attrs.frozen
class Plan:
    """Everything that is to be done, in an order in which it can be.

    Attributes:
        changes: one or more for each thing.
    """

    changes: tuple[Change, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether applying it changes anything."""
        return any(change.kind in _PENDING and change.mended for change in self.changes)

    @property
    def stuck(self) -> tuple[Change, ...]:
        """What is not as it should be and cannot be mended from here."""
        return tuple(change for change in self.changes if not change.mended)


def plan(desired: Desired, actual: Actual, *, prune: bool = False) -> Plan:
    """Compare the two states.

    Args:
        desired: what should be there.
        actual: what is there.
        prune: whether what we made and no longer want is removed.
    """
    changes: list[Change] = []
    for stream in desired.streams:
        changes += stream_changes(stream, actual.stream(stream.name))
    kept: set[tuple[Subject, str]] = set()
    blocked = ""
    for wanted in desired.marked():
        if blocked and wanted.subject in {"destination", "alert"}:
            changes.append(_blocked(wanted, blocked))
            kept |= {(found.subject, found.key) for found in actual.named(wanted.subject, wanted.name)}
            continue
        made = _thing(wanted, _candidates(wanted, actual))
        kept |= {(change.subject, change.key) for change in made}
        changes += made
        if made[0].kind == "foreign" and wanted.subject in _IN_THE_WAY:
            blocked = f"the {wanted.subject} {wanted.name} is somebody else's"
    changes += (
        Change("skipped", each.subject, each.name, text=each.text, hint=each.hint) for each in desired.skipped
    )
    return Plan((*changes, *_leftovers(desired, actual, kept, prune=prune)))


def field_changes(wanted: object, found: object, path: str = "") -> Iterator[FieldChange]:
    """Compare two JSON values; what a server adds to objects does not count, nor does empty against absent.

    Args:
        wanted: as it should be.
        found: as it is.
        path: where they stand.
    """
    whole = wanted  # what isinstance() learns about one name leaves the other as it is
    if isinstance(wanted, dict):
        there = mapping(found)
        for name, value in mapping(cast("object", wanted)).items():
            yield from field_changes(value, there.get(name), f"{path}.{name}" if path else name)
    elif isinstance(wanted, list) and isinstance(found, list):
        ours, theirs = sequence(cast("object", wanted)), sequence(cast("object", found))
        for at, value in enumerate(ours):
            yield from field_changes(value, theirs[at] if at < len(theirs) else None, f"{path}[{at}]")
        for at in range(len(ours), len(theirs)):
            yield FieldChange(f"{path}[{at}]", None, _bounded(theirs[at]))
    elif not _same(whole, found):
        yield FieldChange(path, whole, _bounded(found))


def _bounded(found: object) -> object:
    # What is nested more deeply than anything that is wanted can neither be written as JSON nor be compared by a person.
    level = [found]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in (*mapping(each).values(), *sequence(each))]
        if not level:
            return found
    return "(nested too deeply to be shown)"


def _same(wanted: object, found: object) -> bool:
    if isinstance(wanted, str) and isinstance(found, str):
        return plain_text(wanted) == plain_text(found)
    if wanted in (None, "", [], {}) and not isinstance(wanted, bool | int):
        return found in (None, "", [], {}) and not isinstance(found, bool | int)
    # 1 and True are equal to Python and not to a server.
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)


def _thing(wanted: Wanted, candidates: Sequence[Found]) -> list[Change]:
    foreign = [
        Change(
            "foreign",
            wanted.subject,
            wanted.name,
            text=_FOREIGN[wanted.subject],
            hint=_hint(wanted),
            key=found.key,
            # What is in the way of all alerts is no matter of taste, as a second dashboard of a title is.
            mended=wanted.subject not in _IN_THE_WAY,
        )
        for found in candidates
        if not found.ours
    ]
    own = next((found for found in candidates if found.ours), None)
    if own is None:
        if foreign and wanted.subject in _UNIQUE:
            return foreign
        return [Change("create", wanted.subject, wanted.name), *foreign]
    fields = tuple(_masked(change) for change in field_changes(dict(wanted.body), dict(own.body)))
    kind: ChangeKind = "unchanged"
    if fields:
        # The mark on the server says what was made last: if that is what is wanted today, a hand changed it.
        kind = "drift" if fingerprint(dict(own.body)) == fingerprint(dict(wanted.body)) else "update"
    return [Change(kind, wanted.subject, wanted.name, fields, _text(kind, fields), key=own.key), *foreign]


def _candidates(wanted: Wanted, actual: Actual) -> list[Found]:
    found = actual.named(wanted.subject, wanted.name)
    # The stream of a rule cannot be changed: one over another stream is another rule.
    stream = wanted.body.get("stream_name")
    return [each for each in found if wanted.subject != "alert" or each.body.get("stream_name") == stream]


def stream_changes(stream: Stream, found: ActualStream | None) -> list[Change]:
    """Say what becomes of one stream.

    Args:
        stream: as it should be.
        found: as it is; None if it is not there.
    """
    if found is None:
        return [Change("create", "stream", stream.name, text=f"with {len(stream.columns)} columns")]
    difference = compare(stream, found.schema)
    fields = [FieldChange(f"columns.{column.name}", column.type, None) for column in difference.missing]
    fields += _settings(stream, found)
    kind: ChangeKind = "update" if fields else "unchanged"
    changes = [Change(kind, "stream", stream.name, tuple(fields), _text(kind, fields))]
    if not difference.widened:
        return changes
    widened = tuple(FieldChange(f"columns.{c.name}", c.type, kind) for c, kind in difference.widened)
    said = ", ".join(
        f"{c.name} is {kind}, not {c.type}{_since(found, c.name)}" for c, kind in difference.widened
    )
    drift = Change(
        "drift",
        "stream",
        stream.name,
        widened,
        f"{said}: a value of another type came in, and the server cannot change a column back",
        f"alerts and dashboards read it all the same; to get a clean one delete the stream, or choose another name in"
        f" {stream.variable}.",
        mended=False,
    )
    return [*(changes if fields else []), drift]


def _settings(stream: Stream, found: ActualStream) -> Iterator[FieldChange]:
    there = sequence(found.settings.get("index_fields"))
    missing = [name for name in stream.indexed if name not in there]
    if missing:
        yield FieldChange("settings.index_fields", missing, None)
    kept = found.settings.get("data_retention")
    if stream.retention and kept != stream.retention:
        yield FieldChange("settings.data_retention", stream.retention, kept)


def _leftovers(
    desired: Desired, actual: Actual, kept: set[tuple[Subject, str]], *, prune: bool
) -> Iterator[Change]:
    # Without a channel alerts are skipped, which is not to say that those that are there are no longer wanted.
    subjects = _REMOVABLE if desired.alerting else ("dashboard",)
    for subject in subjects:
        for found in actual.found:
            if found.subject == subject and found.ours and (subject, found.key) not in kept:
                text = "made by init, and no longer wanted"
                if prune:
                    yield Change("remove", subject, found.name, text=text, key=found.key)
                else:
                    yield Change(
                        "skipped",
                        subject,
                        found.name,
                        text=text,
                        hint="init --prune removes it.",
                        key=found.key,
                    )


def _blocked(wanted: Wanted, why: str) -> Change:
    return Change("skipped", wanted.subject, wanted.name, text=why, hint="rename or remove that one.")


_FOREIGN: Final[Mapping[Subject, str]] = {
    "folder": "somebody else's folder of the same name; used, not changed",
    "template": "somebody else's template of the same name; not touched",
    "destination": "somebody else's destination of the same name; not touched",
    "alert": "somebody else's alert of the same name; not touched",
    "dashboard": "somebody else's dashboard of the same title; not touched",
}


def _hint(wanted: Wanted) -> str:
    return "rename or remove it, and run init again." if wanted.subject in _IN_THE_WAY else ""


def _text(kind: ChangeKind, fields: Sequence[FieldChange]) -> str:
    if not fields:
        return ""
    said = ", ".join(change.path for change in fields[:8]) + (
        f" and {len(fields) - 8} more" if len(fields) > 8 else ""
    )
    return f"changed by hand: {said}" if kind == "drift" else f"differs: {said}"


def _masked(change: FieldChange) -> FieldChange:
    if change.path != "url":
        return change
    return FieldChange(
        "url", *(masked_url(str(url)) if url else url for url in (change.wanted, change.found))
    )


def _since(found: ActualStream, column: str) -> str:
    at = found.since.get(column)
    return "" if at is None else f" since {moment(at)}"
