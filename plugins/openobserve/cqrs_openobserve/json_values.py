"""Looking into parsed JSON whose shape somebody else decides."""

from collections.abc import Mapping, Sequence
from typing import cast


def mapping(value: object) -> Mapping[str, object]:
    """Give an object's members, none for anything else."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[object]:
    """Give an array's elements, none for anything else."""
    return cast("Sequence[object]", value) if isinstance(value, list) else ()
