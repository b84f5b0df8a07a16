"""How a plan, and what became of it, is printed; pure."""

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import orjson

from cqrs_openobserve.answers import one_line
from cqrs_openobserve.provision.apply import Step
from cqrs_openobserve.provision.difference import Change, Plan

_SHOWN: Final = 60
_FIELDS: Final = 20


def step_lines(step: Step) -> Iterator[str]:
    """Give the lines about one step.

    Args:
        step: what was done.
    """
    yield _line(step.did, step.subject, step.name, step.text)
    if step.hint and step.did == "failed":
        yield f"  {'':<9}  Fix: {step.hint}"


def change_lines(change: Change) -> Iterator[str]:
    """Give the lines about one change, with the fields that it is about.

    Args:
        change: of a plan.
    """
    yield _line(change.kind, change.subject, change.name, change.text)
    for field in change.fields[:_FIELDS] if change.mended else ():
        yield f"  {'':<9}    {field.path}: {_shown(field.found)} -> {_shown(field.wanted)}"
    if len(change.fields) > _FIELDS:
        yield f"  {'':<9}    and {len(change.fields) - _FIELDS} more fields"
    if change.hint:
        yield f"  {'':<9}  Hint: {change.hint}"


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
    return f"  {did:<9}  {subject:<11}  {name}  {text}".rstrip()


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = one_line(orjson.dumps(value).decode())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
