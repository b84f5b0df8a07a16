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
        retry_seconds: pause after a failed write of segments.
        fsync: wait for the disk before the reply; one wait serves all requests that came meanwhile.
    """

    segment_rows: int = 50_000
    segment_bytes: int = 64 * 1024 * 1024
    segment_seconds: float = 60.0
    memory_rows: int = 400_000
    retry_seconds: float = 1.0
    fsync: bool = False
