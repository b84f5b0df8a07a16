"""The query engine: the only speaker of datafusion.

A query gets a session of its own that knows the streams it names, each cut to the time range, and nothing
else: no files, no other streams, no settings. It is planned in a thread and runs in the engine's threads;
giving it up (a deadline, a client that left) stops it.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from typing import Final, ParamSpec, Protocol, TypeVar, cast
from urllib.parse import quote

import attrs
from datafusion import (
    DataFrame,
    Expr,
    RuntimeEnvBuilder,
    SessionConfig,
    SessionContext,
    SQLOptions,
    col,
    functions,
    lit,
)
from returns.result import Failure, Result, Success

from cqrs_local import arrow
from cqrs_local.column_types import TIMESTAMP, ColumnType
from cqrs_local.limits import Limits
from cqrs_local.segments import GENERATION
from cqrs_local.sql_operators import MOST_OPERATORS, has_too_many
from cqrs_local.views import Shape, StreamView

_SETTINGS: Final = {
    "datafusion.sql_parser.dialect": "PostgreSQL",
    "datafusion.catalog.information_schema": "false",
    "datafusion.execution.target_partitions": "2",
    "datafusion.execution.parquet.pushdown_filters": "false",
}
# One call of these can ask for gigabytes outside of the memory that the engine accounts for: a query with one
# is refused before it gets here.
UNBOUNDED: Final = frozenset(
    ["repeat", "lpad", "rpad", "array_repeat", "list_repeat", "range", "generate_series"]
)
NO_STREAM: Final = "Stream name is empty"

P = ParamSpec("P")
T = TypeVar("T")


@attrs.frozen
class Query:
    """What to run.

    Attributes:
        sql: text for the engine.
        streams: what it may read, by name.
        start, end: time range, microseconds, `end` excluded.
        rows: most rows of the answer.
        skip: rows to leave out first.
        sorted: sort by `_timestamp`, newest first, if the answer has that column.
    """

    sql: str
    streams: Mapping[str, StreamView]
    start: int
    end: int
    rows: int
    skip: int = 0
    sorted: bool = False


@attrs.frozen
class EngineProblem:
    """What the engine said.

    Attributes:
        text: its message.
        running: it came up while the query ran; else the query could not be planned.
    """

    text: str
    running: bool


Rows = list[dict[str, object]]
TOO_MANY_OPERATORS: Final = EngineProblem(
    f"SQL error: OperatorLimitExceeded (current limit: {MOST_OPERATORS})", running=False
)


class Engine:
    """Runs queries, a bounded number at a time."""

    def __init__(self, limits: Limits) -> None:
        """Args: limits: how many queries, how long, how much memory."""
        self._limits = limits
        self._turn = asyncio.Semaphore(limits.queries)
        self._threads = ThreadPoolExecutor(limits.queries, thread_name_prefix="cqrs-local-query")

    def close(self) -> None:
        """Let go of the threads; a plan that is being made ends first."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def run(self, query: Query, seconds: float) -> Result[Rows, EngineProblem]:
        """Run one query.

        Args:
            query: what to run.
            seconds: how long it may take, waiting for its turn included.

        Raises:
            TimeoutError: it took longer; it is stopped.
        """
        async with asyncio.timeout(seconds), self._turn:
            planned = await self._in_thread(_planned, query, self._limits)
            if isinstance(planned, EngineProblem):
                return Failure(planned)
            if not query.streams:
                return Failure(EngineProblem(NO_STREAM, running=False))
            try:
                return Success(await self._rows(planned))
            except Exception as error:  # noqa: BLE001 - the engine raises plain Exception; it is told to the client
                return Failure(EngineProblem(str(error), running=True))

    async def problem(self, query: Query) -> EngineProblem | None:
        """What is wrong with a query that is not to be run, None if it can be planned."""
        planned = await self._in_thread(_planned, query, self._limits)
        return planned if isinstance(planned, EngineProblem) else None

    async def _rows(self, frame: DataFrame) -> Rows:
        rows: Rows = []
        async for batch in await self._in_thread(frame.execute_stream):
            rows += await self._in_thread(arrow.json_rows, cast("_Batch", batch).to_pyarrow())
        return rows

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _planned(query: Query, limits: Limits) -> DataFrame | EngineProblem:
    if has_too_many(query.sql):
        return TOO_MANY_OPERATORS
    try:
        return _plan(query, _session(limits))
    except Exception as error:  # noqa: BLE001 - the engine raises plain Exception; it is told to the client
        return EngineProblem(str(error), running=False)


# What mentions types of pyarrow, which no type checker knows, is named here.


class _Batch(Protocol):
    def to_pyarrow(self) -> arrow.Batch: ...


class _Castable(Protocol):
    def cast(self, to: object) -> Expr: ...


class _Frame(Protocol):
    def schema(self) -> object: ...


class _Session(Protocol):
    def register_view(self, name: str, df: DataFrame) -> None: ...
    def create_dataframe(self, partitions: list[list[object]]) -> DataFrame: ...
    def read_parquet(self, path: str, *, file_extension: str, schema: object) -> DataFrame: ...
    def sql_with_options(self, query: str, options: SQLOptions) -> DataFrame: ...


def _session(limits: Limits) -> _Session:
    pool = RuntimeEnvBuilder().with_disk_manager_os().with_fair_spill_pool(limits.query_memory_bytes)
    return cast("_Session", SessionContext(SessionConfig(_SETTINGS), pool))


def _plan(query: Query, session: _Session) -> DataFrame:
    for name, view in query.streams.items():
        session.register_view(name, _frame_of(session, view, query.start, query.end))
    only_select = SQLOptions().with_allow_ddl(False).with_allow_dml(False).with_allow_statements(False)  # noqa: FBT003 - the engine's names say it
    frame = session.sql_with_options(query.sql, only_select)
    if query.sorted and TIMESTAMP in arrow.names_of(cast("_Frame", frame).schema()):
        frame = frame.sort(_column(TIMESTAMP).sort(ascending=False))
    return frame.limit(query.rows, offset=query.skip)


def _frame_of(session: _Session, view: StreamView, start: int, end: int) -> DataFrame:
    """The rows of a stream within the time range, from memory and from segments."""
    tables = [table for table in view.memory if table.num_rows] or [arrow.table_of([], view.columns)]
    frames = [_from_memory(session, table) for table in tables]
    frames += [_from_segments(session, shape, view) for shape in view.shapes if shape.overlaps(start, end)]
    united = reduce(DataFrame.union, frames)
    return united.filter((_column(TIMESTAMP) >= lit(start)) & (_column(TIMESTAMP) < lit(end)))


def _from_memory(session: _Session, table: arrow.Table) -> DataFrame:
    return session.create_dataframe([arrow.batches_of(table)])


def _from_segments(session: _Session, shape: Shape, view: StreamView) -> DataFrame:
    frame = session.read_parquet(
        f"file://{quote(str(shape.directory))}/",
        file_extension=".parquet",
        schema=arrow.schema_of(shape.columns),
    )
    older = frame.filter(_column(GENERATION) < lit(view.before))
    return older.select(*(_conformed(name, column, shape.columns) for name, column in view.columns.items()))


def _conformed(name: str, column: ColumnType, have: Mapping[str, ColumnType]) -> Expr:
    if name not in have:
        return _cast(lit(None), column).alias(name)
    found = _column(name)
    if have[name] is column:
        return found
    widened = _cast(found, column)
    if have[name] is ColumnType.FLOAT64 and column is ColumnType.UTF8:
        widened = functions.regexp_replace(widened, lit(r"\.0$"), lit(""))  # as `text_of` writes it
    return widened.alias(name)


def _cast(expression: Expr, column: ColumnType) -> Expr:
    return cast("_Castable", expression).cast(arrow.type_of(column))


def _column(name: str) -> Expr:
    escaped = name.replace('"', '""')
    return col(f'"{escaped}"')
