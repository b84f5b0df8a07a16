"""What a request and a query may cost at most."""

import attrs


@attrs.frozen
class Limits:
    """Bounds that keep one request from taking the server down.

    Attributes:
        body_bytes: largest request body after decompression (the server's ZO_PAYLOAD_LIMIT).
        nesting: deepest nesting of a JSON body (the recursion limit of the server's parser).
        columns: most columns of one record (the server's ZO_COLS_PER_RECORD_LIMIT).
        requests: requests worked on at once; a further one is answered 503.
        queries: queries run at once; a further one waits for its turn within its deadline.
        query_seconds: how long a query may take, waiting included.
        query_memory_bytes: memory of one running query, before it spills or fails.
        default_rows: rows of an answer when the query names no size (ZO_QUERY_DEFAULT_LIMIT).
        answer_rows: most rows of any answer, whatever the query asks for.
        alert_seconds: pause between two looks at which alerts are due.
        too_old_hours: how far a record's time may lie back (ZO_INGEST_ALLOWED_UPTO).
        too_far_hours: how far it may lie ahead (ZO_INGEST_ALLOWED_IN_FUTURE).
    """

    body_bytes: int = 209_715_200
    nesting: int = 127
    columns: int = 1000
    requests: int = 256
    queries: int = 4
    query_seconds: float = 60.0
    query_memory_bytes: int = 256 * 1024 * 1024
    default_rows: int = 1000
    answer_rows: int = 200_000
    alert_seconds: float = 1.0
    too_old_hours: int = 5
    too_far_hours: int = 24
