"""Writing one generation of rows to segments, in a thread, from values that nobody changes any more."""

from collections.abc import Mapping

import attrs

from cqrs_local.arrow import Table
from cqrs_local.catalogue import Catalogue, CatalogueFile
from cqrs_local.column_types import ColumnType
from cqrs_local.durable import sync_directory
from cqrs_local.memory import Generation
from cqrs_local.segments import Segment, Segments


@attrs.frozen
class FlushJob:
    """What a flush needs, taken at one moment.

    Attributes:
        number: the generation.
        version, catalogue: the catalogue to save first; it knows every stream and column in `tables`.
        tables: rows and columns by stream id.
    """

    number: int
    version: int
    catalogue: bytes
    tables: Mapping[int, tuple[Table, dict[str, ColumnType]]]

    @classmethod
    def of(cls, generation: Generation, catalogue: Catalogue, version: int) -> "FlushJob":
        """Take the rows of a frozen generation as they are now."""
        tables = {
            stream_id: (buffer.table(stream.columns), dict(stream.columns))
            for stream_id, buffer in generation.buffers.items()
            if (stream := catalogue.get(stream_id)) is not None and buffer.rows
        }
        return cls(generation.number, version, catalogue.encode(), tables)


@attrs.frozen
class FlushResult:
    """What a flush wrote, by stream id, and what stopped it, if anything."""

    written: Mapping[int, Segment]
    error: OSError | None = None


def run_flush(job: FlushJob, file: CatalogueFile, segments: Segments) -> FlushResult:
    """Save the catalogue, then one segment for each stream; stop at the first error."""
    written: dict[int, Segment] = {}
    try:
        file.save(job.version, job.catalogue)
        for stream_id, (table, columns) in job.tables.items():
            written[stream_id] = segments.write(stream_id, job.number, table, columns)
    except OSError as error:
        return FlushResult(written, error)
    return FlushResult(written)


def remove_log(generation: Generation) -> None:
    """Remove the log of a generation whose rows are all in segments.

    Raises:
        OSError: the log is still there; a restart will find its rows in segments and skip them.
    """
    if generation.wal is not None:
        generation.wal.close()
        generation.wal = None
    generation.log.unlink(missing_ok=True)
    sync_directory(generation.log.parent)
