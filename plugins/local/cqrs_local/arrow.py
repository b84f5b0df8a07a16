"""The only speaker of pyarrow: rows to columns, columns to parquet, columns back to rows.

pyarrow has no type information, so it is loaded as an untyped module here and nowhere else; everybody
else sees the protocols below.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

import orjson

from cqrs_local.column_types import TIMESTAMP, ColumnType, Row, Scalar, text_of

_pa: Final = import_module("pyarrow")
_pc: Final = import_module("pyarrow.compute")
_pq: Final = import_module("pyarrow.parquet")
_csv: Final = import_module("pyarrow.csv")

_TYPES: Final[Mapping[ColumnType, object]] = {
    ColumnType.INT64: _pa.int64(),
    ColumnType.UINT64: _pa.uint64(),
    ColumnType.FLOAT64: _pa.float64(),
    ColumnType.BOOLEAN: _pa.bool_(),
    ColumnType.UTF8: _pa.string(),
}
_FITTED: Final[Mapping[ColumnType, Callable[[Scalar], Scalar]]] = {
    ColumnType.UTF8: text_of,
    ColumnType.FLOAT64: float,
}
_COLUMN_TYPES: Final[Mapping[object, ColumnType]] = {arrow: column for column, arrow in _TYPES.items()}


class Array(Protocol):
    """What this module needs of an Arrow column."""

    @property
    def type(self) -> object:
        """Its Arrow type."""
        ...

    def to_pylist(self) -> list[Scalar | None]:
        """Its values, None for null."""
        ...


class Table(Protocol):
    """What the rest of the package needs of an Arrow table."""

    @property
    def num_rows(self) -> int:
        """How many rows it holds."""
        ...

    @property
    def nbytes(self) -> int:
        """Its size in memory."""
        ...

    @property
    def column_names(self) -> list[str]:
        """Its columns, in order."""
        ...

    def column(self, name: str) -> Array:
        """One of its columns."""
        ...


def table_of(rows: Sequence[Row], columns: Mapping[str, ColumnType]) -> Table:
    """A table of `rows` with exactly `columns`; a value of another type was made to fit by then."""
    values = _transposed(rows, tuple(columns))
    arrays = {name: _array(given, columns[name]) for name, given in zip(columns, values, strict=True)}
    return cast("Table", _pa.table(arrays))


def _transposed(rows: Sequence[Row], names: Sequence[str]) -> Sequence[Sequence[Scalar | None]]:
    """The values of each column, None where a row has none; quick where every row has every column."""
    if rows and len(names) > 1:
        try:
            return tuple(zip(*map(itemgetter(*names), rows), strict=True))
        except KeyError:
            pass
    return [[row.get(name) for row in rows] for name in names]


def _array(values: Sequence[Scalar | None], column: ColumnType) -> Array:
    arrow = _TYPES[column]
    fit = _FITTED.get(column)
    if fit is None:
        return cast("Array", _pa.array(values, arrow))
    try:
        return cast("Array", _pa.array(values, arrow))
    except (TypeError, ValueError):
        fitted = [None if value is None else fit(value) for value in values]
        return cast("Array", _pa.array(fitted, arrow))


def conformed(table: Table, columns: Mapping[str, ColumnType]) -> Table:
    """The same rows under newer `columns`: widened where they differ, null where they are missing."""
    have = set(table.column_names)
    arrays = {
        name: _cast(table.column(name), column) if name in have else _pa.nulls(table.num_rows, _TYPES[column])
        for name, column in columns.items()
    }
    return cast("Table", _pa.table(arrays))


def _cast(array: Array, column: ColumnType) -> Array:
    arrow = _TYPES[column]
    if array.type == arrow:
        return array
    if column is ColumnType.UTF8:
        return _array(array.to_pylist(), column)
    return cast("Array", _pc.cast(array, arrow, safe=False))


def joined(tables: Sequence[Table]) -> Table:
    """One table out of tables with the same columns."""
    return cast("Table", _pa.concat_tables(tables))


def merged(tables: Sequence[Table]) -> Table:
    """The same, with each column in one piece of memory."""
    return cast("Table", _pa.concat_tables(tables).combine_chunks())


def with_constant(table: Table, name: str, value: int) -> Table:
    """The table with one more Int64 column that holds `value` in every row."""
    constant = _pa.repeat(_pa.scalar(value, _pa.int64()), table.num_rows)
    return cast("Table", _pa.table(table).append_column(name, constant))


def time_range(table: Table) -> tuple[int, int]:
    """The earliest and the latest `_timestamp` of a table that is not empty."""
    found = _pc.min_max(table.column(TIMESTAMP)).as_py()
    return cast("int", found["min"]), cast("int", found["max"])


def write_parquet(table: Table, path: Path) -> None:
    """Write a table, sorted by time so that a reader can skip row groups."""
    ordered = _pa.table(table).sort_by(TIMESTAMP)
    repeated = [name for name in ordered.column_names if _repeats(ordered.column(name))]
    _pq.write_table(ordered, path, compression="zstd", row_group_size=64 * 1024, use_dictionary=repeated)


def _repeats(values: object) -> bool:
    """Whether a column is worth a dictionary: ids and durations make one that is thrown away again."""
    sample = _pa.chunked_array(values).slice(0, 1024)
    return cast("int", _pc.count_distinct(sample).as_py()) * 2 < len(sample)


def read_parquet(path: Path) -> Table:
    """All rows of a file."""
    return cast("Table", _pq.ParquetFile(path).read())


class Writer:
    """Writes tables with the same columns to one file."""

    def __init__(self, kind: str, columns: Mapping[str, ColumnType], out: BinaryIO) -> None:
        """Args: kind: parquet, csv or ndjson; columns: of every table; out: where to."""
        schema = schema_of(columns)
        self._out = out
        self._writer = (
            _pq.ParquetWriter(out, schema, compression="zstd")
            if kind == "parquet"
            else _csv.CSVWriter(out, schema)
            if kind == "csv"
            else None
        )

    def write(self, table: Table) -> None:
        """Write all rows of a table; as JSON, nulls are left out."""
        if self._writer is not None:
            self._writer.write_table(table)
            return
        for batch in _pa.table(table).to_batches(max_chunksize=8192):
            lines = [orjson.dumps(row) for row in json_rows(cast("Batch", batch))]
            self._out.write(b"".join(line + b"\n" for line in lines))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


def parquet_columns(path: Path) -> dict[str, ColumnType]:
    """The columns that a parquet file was written with, columns of other types left out."""
    schema = _pq.read_schema(path)
    return {field.name: _COLUMN_TYPES[field.type] for field in schema if field.type in _COLUMN_TYPES}


def rows_between(table: Table, start: int, end: int) -> int:
    """How many rows have a `_timestamp` from `start` on and before `end`."""
    times = table.column(TIMESTAMP)
    within = _pc.and_(_pc.greater_equal(times, start), _pc.less(times, end))
    return cast("int", _pc.sum(within).as_py() or 0)


def batches_of(table: Table) -> list[object]:
    """The pieces of a table, one empty piece of an empty table, as the query engine wants them."""
    given = _pa.table(table)
    return cast("list[object]", given.to_batches() or [_pa.RecordBatch.from_pylist([], schema=given.schema)])


def type_of(column: ColumnType) -> object:
    """The Arrow type of a column."""
    return _TYPES[column]


def names_of(schema: object) -> list[str]:
    """The columns of an Arrow schema."""
    return cast("list[str]", _pa.schema(schema).names)


def schema_of(columns: Mapping[str, ColumnType]) -> object:
    """The Arrow schema of `columns`, as the query engine wants it."""
    return _pa.schema([(name, _TYPES[column]) for name, column in columns.items()])


class Batch(Protocol):
    """A piece of an answer of the query engine."""

    @property
    def num_rows(self) -> int:
        """How many rows it holds."""
        ...

    def to_pylist(self) -> list[dict[str, object]]:
        """Its rows."""
        ...


def json_rows(batch: Batch) -> list[dict[str, object]]:
    """Rows as JSON values: nulls left out, times as the server writes them."""
    rows = batch.to_pylist()
    return [{name: _json(value) for name, value in row.items() if value is not None} for row in rows]


def _json(value: object) -> object:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dict):
        return {str(name): _json(inner) for name, inner in cast("dict[object, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_json(inner) for inner in cast("Sequence[object]", value)]
    return _scalar(value)


def _scalar(value: object) -> object:
    match value:
        case datetime():
            return _moment(value)
        case date() | time():
            return value.isoformat()
        case Decimal():
            return float(value)
        case bytes():
            return value.hex()
        case timedelta():
            return value.total_seconds()
        case _:
            return str(value)


def _moment(value: datetime) -> str:
    text = value.replace(tzinfo=None).isoformat()
    text = text.rstrip("0") if "." in text else text
    return text if value.tzinfo is None else f"{text}Z"
