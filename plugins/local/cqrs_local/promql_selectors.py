"""PromQL text to a plain selector, and samples to the answers of Prometheus (pure).

Plain selectors with label matchers alone: anything else is refused, never answered with a wrong number.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs
import promql_parser
from returns.result import Failure, Result, Success

from cqrs_local.column_types import TIMESTAMP, ColumnType, text_of
from cqrs_local.otlp_metrics import HASH, NAME, VALUE
from cqrs_local.sql_text import literal, quoted

LOOKBACK: Final = 300_000_000
_NO_LABELS: Final = frozenset([TIMESTAMP, VALUE, HASH, "exemplars"])
_SAMPLES: Final = "SELECT * FROM {stream} WHERE {where} ORDER BY _timestamp"
_MOST_TEXT: Final = 64 * 1024

Labels = Mapping[str, str]


@attrs.frozen
class Selector:
    """A metric and the conditions on its labels.

    Attributes:
        metric: the stream.
        matchers: operator (`=`, `!=`, `=~`, `!~`), label, value.
    """

    metric: str
    matchers: tuple[tuple[str, str, str], ...] = ()


@attrs.frozen
class Refusal:
    """Why a text has no answer.

    Attributes:
        status: 400 for what PromQL does not allow, 422 for what this server does not evaluate.
        text: the reason.
    """

    status: int
    text: str


@attrs.frozen
class Series:
    """The samples of one set of labels: microseconds and values, oldest first."""

    labels: Labels
    samples: Sequence[tuple[int, float]]


def parse(text: str) -> Result[Selector, Refusal]:
    """The selector that a text is, or why it is refused."""
    if len(text) > _MOST_TEXT:
        return Failure(Refusal(400, "the query is too long"))
    try:
        expression = promql_parser.parse(text)
    except ValueError as error:
        return Failure(Refusal(400, str(error)))
    if not isinstance(expression, promql_parser.VectorSelector):
        return Failure(_beyond(f"{type(expression).__name__} is not"))
    if expression.offset is not None or expression.at is not None or expression.matchers.or_matchers:
        return Failure(_beyond("offset, @ and alternatives are not"))
    matchers = [(_OPERATORS[str(m.op)], m.name, m.value) for m in expression.matchers.matchers]
    named = [value for operator, name, value in matchers if name == NAME and operator == "="]
    metric = expression.name or next(iter(named), None)
    if metric is None:
        return Failure(_beyond("a selector without the name of a metric is not"))
    return Success(Selector(metric, tuple(m for m in matchers if m[1] != NAME)))


_OPERATORS: Final = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


def _beyond(what: str) -> Refusal:
    return Refusal(422, f"{what} evaluated by the local server: it answers plain selectors; use SQL for more")


def sql_of(selector: Selector, columns: Mapping[str, ColumnType]) -> str:
    """The query for the samples of a selector; a label that no column has is an empty text."""
    conditions = [f"{quoted(VALUE)} IS NOT NULL"]
    for operator, name, value in selector.matchers:
        label = f"coalesce(CAST({quoted(name)} AS VARCHAR), '')" if name in columns else "''"
        if operator in ("=", "!="):
            conditions.append(f"{label} {'=' if operator == '=' else '<>'} {literal(value)}")
        else:
            pattern = literal(f"^(?:{value})$")
            conditions.append(f"{label} {'~' if operator == '=~' else '!~'} {pattern}")
    where = " AND ".join(conditions)
    return _SAMPLES.format(stream=quoted(selector.metric), where=where)


def series_of(rows: Iterable[Mapping[str, object]]) -> list[Series]:
    """Rows, oldest first, as series in the order of their labels."""
    found: dict[tuple[tuple[str, str], ...], list[tuple[int, float]]] = {}
    for row in rows:
        moment, value = row[TIMESTAMP], row[VALUE]
        if isinstance(moment, int) and isinstance(value, int | float):
            labels = tuple(sorted((name, _label(v)) for name, v in row.items() if name not in _NO_LABELS))
            found.setdefault(labels, []).append((moment, float(value)))
    return [Series(dict(labels), samples) for labels, samples in sorted(found.items())]


def vector(series: Iterable[Series], at: int) -> list[dict[str, object]]:
    """The newest sample of each series within five minutes up to a moment, microseconds."""
    picked = [(each, _newest(each, at)) for each in series]
    return [
        {"metric": each.labels, "value": [at // 1_000_000, text_of(sample)]}
        for each, sample in picked
        if sample is not None
    ]


def matrix(series: Iterable[Series], moments: Sequence[int]) -> list[dict[str, object]]:
    """The same at each of some moments, oldest first; series without a sample are left out."""
    found: list[dict[str, object]] = []
    for each in series:
        values = list(_walk(each, moments))
        if values:
            found.append({"metric": each.labels, "values": values})
    return found


def _walk(series: Series, moments: Sequence[int]) -> Iterable[list[object]]:
    at = -1
    for moment in moments:
        while at + 1 < len(series.samples) and series.samples[at + 1][0] <= moment:
            at += 1
        if at >= 0 and series.samples[at][0] > moment - LOOKBACK:
            yield [moment // 1_000_000, text_of(series.samples[at][1])]


def _newest(series: Series, at: int) -> float | None:
    within = [value for moment, value in series.samples if at - LOOKBACK < moment <= at]
    return within[-1] if within else None


def _label(value: object) -> str:
    return text_of(value) if isinstance(value, str | int | float) else str(value)
