"""What one query sees of one stream: a value that later ingestion and flushes leave alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import attrs

from cqrs_local.arrow import Table
from cqrs_local.catalogue import Stream
from cqrs_local.column_types import ColumnType
from cqrs_local.memory import Generation
from cqrs_local.segments import Segment, Segments


@attrs.frozen
class Shape:
    """Segments with the same columns.

    Attributes:
        directory: holds the parquet files.
        columns: what they were written with, `#segment` among them.
        segments: those that belong to the view.
    """

    directory: Path
    columns: Mapping[str, ColumnType]
    segments: Sequence[Segment]

    def overlaps(self, start: int, end: int) -> bool:
        """Whether any segment may hold rows from `start` on and before `end`, microseconds."""
        return any(segment.first < end and segment.last >= start for segment in self.segments)


@attrs.frozen
class StreamView:
    """A stream at one moment.

    Attributes:
        columns: the stream's columns.
        text_fields: columns that full-text search looks at beside the defaults.
        memory: rows that no visible segment holds.
        shapes: segments by their columns.
        before: generations from this number on are in `memory`, not in `shapes`.
    """

    columns: Mapping[str, ColumnType]
    text_fields: Sequence[str]
    memory: Sequence[Table]
    shapes: Sequence[Shape]
    before: int


def view_of(
    stream: Stream, listed: Sequence[Segment], generations: Sequence[Generation], segments: Segments
) -> StreamView:
    """The view of a stream, given its segments and the generations in memory, oldest first."""
    holding = [generation for generation in generations if stream.id in generation.buffers]
    before = holding[0].number if holding else generations[-1].number
    by_shape: dict[Path, list[Segment]] = {}
    for segment in listed:
        by_shape.setdefault(segment.shape, []).append(segment)
    return StreamView(
        columns=dict(stream.columns),
        text_fields=_text_fields(stream),
        memory=[generation.buffers[stream.id].table(stream.columns) for generation in holding],
        shapes=[Shape(path, segments.columns(found[0]), found) for path, found in by_shape.items()],
        before=before,
    )


def _text_fields(stream: Stream) -> list[str]:
    fields = stream.settings.get("full_text_search_keys")
    return [str(field) for field in cast("list[object]", fields)] if isinstance(fields, list) else []
