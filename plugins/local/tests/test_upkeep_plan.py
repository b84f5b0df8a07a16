"""What is too old, and what is small."""

from pathlib import Path

from cqrs_local.segments import Segment
from cqrs_local.upkeep_plan import DAY, days_kept, expired, runs

NOW = 1000 * DAY


def segment(generation: int, rows: int = 10, age_days: float = 0, shape: str = "a") -> Segment:
    last = int(NOW - age_days * DAY)
    return Segment(Path(f"/s/{shape}/{generation}"), generation, last - 5, last, rows, 1, generation)


def test_a_segment_is_kept_as_long_as_any_row_of_it_is_young() -> None:
    """0 days is for ever; the setting of a stream wins."""
    segments = [segment(1, age_days=31), segment(2, age_days=29)]

    assert expired(segments, NOW, 30) == segments[:1]
    assert expired(segments, NOW, 0) == []
    assert [days_kept({"data_retention": days}, 30) for days in (7, 0, None, "x", True)] == [
        7,
        30,
        30,
        30,
        30,
    ]


def test_small_segments_that_follow_one_another_are_a_run() -> None:
    """With the same columns, no more rows than allowed, within a day, and enough of them to be worth it."""
    listed = [segment(at) for at in range(1, 6)]

    assert runs(listed, 1000, 5) == [listed]
    assert runs(listed, 1000, 6) == []
    assert runs(listed, 30, 2) == [listed[:3], listed[3:]]
    assert runs([*listed, segment(9, age_days=3)], 1000, 2) == [listed]
    other = [segment(at, shape="b") for at in (1, 2)]
    assert runs([*listed, *other], 1000, 2) == [listed, other]
    assert runs([], 1000, 2) == []


def test_a_run_never_skips_a_segment_of_its_columns() -> None:
    """A merged file stands for every generation between its first and its last."""
    big = segment(3, rows=900)
    listed = [segment(1), segment(2), big, segment(4), segment(5)]

    assert runs(listed, 905, 2) == [listed[:2], listed[3:]]
