"""How a plan, and what became of it, is printed; pure."""

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import orjson

from cqrs_openobserve.answers import one_line
from cqrs_openobserve.provision.apply import Step
from cqrs_openobserve.provision.difference import Change, Plan

_SHOWN: Final = 60
_NAME: Final = 128
_TEXT: Final = 600
_FIELDS: Final = 20


def step_lines(step: Step) -> Iterator[str]:
    """Give the lines about one step.

    Args:
        step: what was done.
    """
    yield _line(step.did, step.subject, step.name, step.text)
    if step.hint and step.did == "failed":
        yield f"  {'':<9}  Fix: {_plain(step.hint, _TEXT)}"


def change_lines(change: Change) -> Iterator[str]:
    """Give the lines about one change, with the fields that it is about.

    Args:
        change: of a plan.
    """
    yield _line(change.kind, change.subject, change.name, change.text)
    for field in change.fields[:_FIELDS] if change.mended else ():
        yield f"  {'':<9}    {_plain(field.path, _NAME)}: {_shown(field.found)} -> {_shown(field.wanted)}"
    if len(change.fields) > _FIELDS:
        yield f"  {'':<9}    and {len(change.fields) - _FIELDS} more fields"
    if change.hint:
        yield f"  {'':<9}  Hint: {_plain(change.hint, _TEXT)}"


def plan_document(plan: Plan) -> dict[str, object]:
    """Give a plan as JSON values.

    Args:
        plan: what would be done.
    """
    return {"pending": plan.pending, "changes": [attrs.asdict(change) for change in plan.changes]}


def counted(dones: Mapping[str, int]) -> str:
    """Give the last line: how many of what.

    Args:
        dones: how often, by what was done.
    """
    return ", ".join(f"{count} {did}" for did, count in dones.items() if count)


def _line(did: str, subject: str, name: str, text: str) -> str:
    # Names of what others made, types and values are a server's: a terminal is to show them, and nothing else.
    return f"  {did:<9}  {subject:<11}  {_plain(name, _NAME)}  {_plain(text, _TEXT)}".rstrip()


def _plain(text: str, most: int) -> str:
    said = one_line(text)
    return said if len(said) <= most else f"{said[: most - 1]}…"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    return _plain(orjson.dumps(value).decode(), _SHOWN)
