"""Dead letters as rows of a table, and back."""

from typing import Final, cast

from cqrs.letters import DeadLetter, ErrorRecord, StoredEvent

Row = tuple[str | int | None, ...]

COLUMNS: Final = (
    "id, payload, type_id, subscriber, sequence, error_kind, error_text, error_traceback, "
    "attempts, first_failed_ns, last_failed_ns, traceparent"
)
PLACEHOLDERS: Final = ", ".join("?" * 12)


def row_of(letter: DeadLetter, payload: str) -> Row:
    """Give a letter as a row.

    Args:
        letter: the letter.
        payload: its event, as JSON.
    """
    error = letter.error or ErrorRecord("", "")
    return (
        letter.id,
        payload,
        letter.type_id,
        letter.subscriber,
        letter.sequence,
        error.kind if letter.error else None,
        _text(error.text),
        _text(error.traceback),
        letter.attempts,
        letter.first_failed_ns,
        letter.last_failed_ns,
        letter.traceparent,
    )


def letter_of(row: Row) -> DeadLetter:
    """Give a row as a letter.

    Args:
        row: the values of ``COLUMNS``.
    """
    (letter_id, payload, type_id, subscriber, sequence, *error, attempts, first, last, traceparent) = row
    kind, text, traceback = (cast("str | None", part) for part in error)
    return DeadLetter(
        StoredEvent(str(payload)),
        str(type_id),
        str(subscriber),
        cast("str | None", sequence),
        None if kind is None else ErrorRecord(kind, text or "", traceback or ""),
        int(attempts or 0),
        int(first or 0),
        int(last or 0),
        cast("str | None", traceparent),
        str(letter_id),
    )


def _text(text: str) -> str:
    # A lone surrogate, as in the name of a file, has no place in the database.
    return text.encode("utf-8", "backslashreplace").decode()
