"""Records with a value in every column."""

import gzip
from typing import Any

import orjson
import pytest
from cqrs_openobserve.columns import LOG_COLUMNS, METRIC_COLUMNS
from cqrs_openobserve.configuration import read
from cqrs_openobserve.log_lines import LogLine, LogRows
from cqrs_openobserve.provision.probes import probe
from cqrs_openobserve.provision.streams import all_streams
from cqrs_openobserve.service import Service

TYPES: dict[str, Any] = {"Utf8": str, "Int64": int, "Float64": float, "Boolean": bool}
GIVEN = {"url": "http://localhost:5080", "token": "a:b", "stream_logs": "app-logs"}
STREAMS = all_streams(read({}, GIVEN).unwrap())
SERVICE = Service("shop", "1", "i", "test", "h")


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_every_column_has_a_value_of_its_type(stream: Any) -> None:
    """So that one record makes the server know them all; nothing else is in it."""
    payload = probe(stream, SERVICE, 1_700_000_000_000_000)
    (row,) = orjson.loads(gzip.decompress(payload.body))
    assert {name: type(value) for name, value in row.items()} == {
        column.name: TYPES[column.type] for column in stream.columns
    }
    assert payload.path == f"/{stream.name}/_json"
    assert row["correlation_id"] == "init"
    assert row.get("record", "probe") == "probe"


def test_the_tables_of_metrics_and_log_lines_are_what_is_sent() -> None:
    """No column of a line that the table does not have; of a metric's row its test says the same."""
    line = LogLine(1, "INFO", "a", "text", "f", "f.py", 3, "t", {}, "E", "tb", 1, 2, 3, "c")
    row = orjson.loads(LogRows("app_logs", SERVICE, "i").row(line, 1))
    assert set(row) == {column.name for column in LOG_COLUMNS}
    assert len({column.name for column in METRIC_COLUMNS}) == len(METRIC_COLUMNS)
