"""Which segments are too old to keep, and which small ones are worth one file (pure)."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from cqrs_local.segments import Segment

DAY: Final = 86_400_000_000


def days_kept(settings: Mapping[str, object], default: int) -> int:
    """How many days a stream keeps its rows: its own setting, if it has one."""
    own = settings.get("data_retention")
    return own if isinstance(own, int) and not isinstance(own, bool) and own > 0 else default


def expired(segments: Sequence[Segment], now: int, days: int) -> list[Segment]:
    """Segments whose newest row is older than `days`; none if that is 0.

    Args:
        segments: of one stream.
        now: microseconds.
        days: how long rows are kept.
    """
    return [segment for segment in segments if days > 0 and segment.last < now - days * DAY]


def runs(segments: Sequence[Segment], most_rows: int, least_files: int) -> list[list[Segment]]:
    """Segments that follow one another, have the same columns and are small: each run becomes one file.

    Args:
        segments: of one stream.
        most_rows: most rows of the file that a run becomes.
        least_files: shortest run that is worth it.
    """
    found: list[list[Segment]] = []
    by_shape = sorted(segments, key=lambda segment: (segment.shape, segment.generation))
    for _, listed in groupby(by_shape, key=lambda segment: segment.shape):
        run: list[Segment] = []
        for segment in listed:
            if run and not _fits(run, segment, most_rows):
                found.append(run)
                run = []
            run.append(segment)
        found.append(run)
    return [run for run in found if len(run) >= least_files]


def _fits(run: Sequence[Segment], segment: Segment, most_rows: int) -> bool:
    rows = sum(each.rows for each in run) + segment.rows
    first = min(segment.first, *(each.first for each in run))
    last = max(segment.last, *(each.last for each in run))
    return rows <= most_rows and last - first <= DAY
