import sqlite3
from contextlib import closing

import attrs
import pytest

from cqrs.letter_rows import COLUMNS, PLACEHOLDERS, letter_of, row_of
from cqrs.letters import DeadLetter, ErrorRecord, StoredEvent

FULL = DeadLetter(
    StoredEvent('{"order": 1}'),
    "shop.Placed",
    "send",
    "order 1",
    ErrorRecord("builtins.ValueError", "no", "Traceback …"),
    3,
    10,
    20,
    "00-1-2-01",
)


@pytest.mark.parametrize(
    "letter",
    [FULL, attrs.evolve(FULL, error=None, sequence=None, traceparent=None, attempts=0)],
    ids=["full", "sparse"],
)
def test_a_letter_comes_back_from_its_row(letter: DeadLetter) -> None:
    """Nothing is lost on the way, and what is not known stays unknown."""
    assert letter_of(row_of(letter, '{"order": 1}')) == letter


def test_a_row_has_a_value_for_each_column() -> None:
    """Columns, placeholders and values are of one length."""
    count = len(row_of(FULL, "{}"))

    assert len(COLUMNS.split(",")) == len(PLACEHOLDERS.split(",")) == count


def test_text_that_is_no_unicode_can_be_written() -> None:
    """The name of a file that is no text, as an exception may show it, is escaped instead of refused."""
    letter = attrs.evolve(FULL, error=ErrorRecord("builtins.OSError", "no file caf\udce9", "caf\udce9"))
    row = row_of(letter, "{}")

    with closing(sqlite3.connect(":memory:")) as database:
        assert database.execute("SELECT ?", (row[6],)).fetchone() == ("no file caf\\udce9",)
