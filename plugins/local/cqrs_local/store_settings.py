"""What a store may take, and when it writes."""

import attrs


@attrs.frozen
class StoreSettings:
    """How the store trades memory, files and safety.

    Attributes:
        segment_rows: rows in memory that make it write segments.
        segment_bytes: bytes of log that make it write segments.
        segment_seconds: age of the oldest row in memory that makes it write segments.
        memory_rows: rows in memory from which on ingestion is refused until the disk caught up.
        retention_days: how long rows are kept unless a stream says otherwise; 0 keeps them for ever.
        upkeep_seconds: pause between two looks at what is old or small.
        merge_files: least number of small segments that become one.
        merged_rows: most rows of a merged segment.
        retry_seconds: pause after a failed write of segments.
        fsync: wait for the disk before the reply; one wait serves all requests that came meanwhile.
    """

    segment_rows: int = 50_000
    segment_bytes: int = 64 * 1024 * 1024
    segment_seconds: float = 60.0
    memory_rows: int = 400_000
    retention_days: int = 30
    upkeep_seconds: float = 60.0
    merge_files: int = 8
    merged_rows: int = 400_000
    retry_seconds: float = 1.0
    fsync: bool = False
