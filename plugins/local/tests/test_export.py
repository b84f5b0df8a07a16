"""A stream as one file."""

import csv
import io
import json
from typing import Any

import pytest
from cqrs_local.arrow import read_parquet
from cqrs_local.export import FORMATS, NoSuchStreamError, export

KEY = ("default", "logs", "s")


@pytest.fixture
async def store(api: Any) -> Any:
    """Rows in a segment, rows in memory, a column that was widened in between."""
    await api.ingest(
        "s", [{"_timestamp": api.server._backend.store.now() - 5, "d": 1.5, "t": "a"}, {"d": 2.5}]
    )
    await api.flush()
    await api.ingest("s", [{"d": "abc", "t": 'q"uote,\n'}])
    return api.server._backend.store


def written(store: Any, kind: str) -> bytes:
    out = io.BytesIO()
    assert export(store, KEY, kind, out) == 3
    return out.getvalue()


async def test_every_row_is_in_every_form(store: Any, tmp_path: Any) -> None:
    """Oldest first, with all columns of the stream in the types that they have now."""
    rows = [json.loads(line) for line in written(store, "ndjson").splitlines()]
    table = list(csv.DictReader(io.StringIO(written(store, "csv").decode())))
    (tmp_path / "x.parquet").write_bytes(written(store, "parquet"))

    assert [row["d"] for row in rows] == ["1.5", "2.5", "abc"]
    assert [row["d"] for row in table] == ["1.5", "2.5", "abc"]
    assert table[2]["t"] == 'q"uote,\n'
    assert read_parquet(tmp_path / "x.parquet").column("d").to_pylist() == ["1.5", "2.5", "abc"]
    assert all(set(row) <= {"_timestamp", "d", "t"} for row in rows)


@pytest.mark.parametrize("kind", FORMATS)
async def test_a_stream_without_rows_is_an_empty_file_of_its_form(api: Any, kind: str) -> None:
    """With its columns, where the form has any."""
    body = {"fields": [{"name": "a", "type": "Utf8"}], "settings": {}}
    await api.http.post("/api/default/streams/s?type=logs", json=body)

    assert export(api.server._backend.store, KEY, kind, io.BytesIO()) == 0


async def test_an_unknown_stream_is_told_with_those_that_there_are(store: Any) -> None:
    """Of the same type."""
    with pytest.raises(NoSuchStreamError, match="there is no logs stream 'x' in default: s"):
        export(store, ("default", "logs", "x"), "csv", io.BytesIO())
