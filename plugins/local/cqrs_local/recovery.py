"""What a restart makes of the logs that the last process left."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import attrs
import orjson

from cqrs_local.catalogue import Catalogue
from cqrs_local.column_types import Row, widened
from cqrs_local.memory import Generation
from cqrs_local.segments import Segment, Segments
from cqrs_local.wal import read_wal

logger: Final = logging.getLogger("cqrs_local")


@attrs.frozen
class Recovered:
    """What was found.

    Attributes:
        segments: by stream id.
        generations: rows of logs that are not, or not all, in segments; oldest first.
        next_number: the number of the next generation.
    """

    segments: dict[int, list[Segment]]
    generations: list[Generation]
    next_number: int


def recover(logs: Path, catalogue: Catalogue, segments: Segments, now: float) -> Recovered:
    """Read segments and logs; `catalogue` learns the streams and columns that only the logs know.

    Raises:
        OSError: something cannot be read.
    """
    paths = sorted(logs.glob("*.wal"))
    found = segments.load(frozenset(stream.id for stream in catalogue.streams()))
    generations: list[Generation] = []
    for path in paths:
        generation = _replay(path, catalogue, found, now)
        if generation is None:
            path.unlink()
        else:
            generations.append(generation)
    numbers = [segment.generation for listed in found.values() for segment in listed]
    numbers += [int(path.stem) for path in paths if path.stem.isdecimal()]
    return Recovered(found, generations, max(numbers, default=0) + 1)


def _replay(
    path: Path, catalogue: Catalogue, found: dict[int, list[Segment]], now: float
) -> Generation | None:
    contents = read_wal(path.read_bytes())
    if contents.torn_bytes:
        logger.info("%s: %d bytes of an unfinished write ignored", path.name, contents.torn_bytes)
    if contents.number is None or not contents.entries:
        return None
    generation = Generation(contents.number, path, now, None)
    stored = {
        stream_id
        for stream_id, listed in found.items()
        if any(segment.since <= contents.number <= segment.generation for segment in listed)
    }
    for entry in contents.entries:
        _replay_entry(entry, generation, catalogue, stored)
    return generation


def _replay_entry(entry: bytes, generation: Generation, catalogue: Catalogue, stored: set[int]) -> None:
    stream_id, org, kind, name, created_at, rows = cast(
        "tuple[int, str, str, str, int, Sequence[Row]]", orjson.loads(entry)
    )
    if stream_id in stored:
        return
    stream = catalogue.restore(stream_id, (org, kind, name), created_at)
    if stream is None:
        return
    changed = widened(stream.columns, rows)
    if changed:
        stream.columns = {**stream.columns, **changed}
    generation.append(stream.id, rows, stream.columns)
