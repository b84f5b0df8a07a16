"""What the management calls store: JSON documents in SQLite, in the order they were made."""

import sqlite3
from pathlib import Path
from typing import Final, cast

import orjson

from cqrs_local.answers import RefusedError, message

FILE_NAME: Final = "documents.db"
Document = dict[str, object]

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS documents (
  number INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  body BLOB NOT NULL, UNIQUE (org, kind, id)
)
"""
_PUT: Final = """
INSERT INTO documents (org, kind, id, body) VALUES (?, ?, ?, ?)
ON CONFLICT (org, kind, id) DO UPDATE SET body = excluded.body
"""


class Documents:
    """Documents by organisation, kind and id; a write is on the disk when the call returns."""

    def __init__(self, directory: Path) -> None:
        """Open or make the file.

        Raises:
            ValueError: the file is damaged.
        """
        try:
            self._database = sqlite3.connect(directory / FILE_NAME, isolation_level=None)
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute(_TABLE)
        except sqlite3.Error as error:
            raise ValueError(f"{FILE_NAME} cannot be used: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def get(self, org: str, kind: str, key: str) -> Document | None:
        """One document."""
        rows = self._run("SELECT body FROM documents WHERE org = ? AND kind = ? AND id = ?", org, kind, key)
        return _decoded(rows[0][0]) if rows else None

    def put(self, org: str, kind: str, key: str, body: Document) -> None:
        """Make or replace a document; a replaced one keeps its place in the order."""
        self._run(_PUT, org, kind, key, orjson.dumps(body))

    def delete(self, org: str, kind: str, key: str) -> None:
        """Remove a document."""
        self._run("DELETE FROM documents WHERE org = ? AND kind = ? AND id = ?", org, kind, key)

    def listed(self, org: str, kind: str) -> list[tuple[str, Document]]:
        """Ids and documents of a kind, oldest first."""
        sql = "SELECT id, body FROM documents WHERE org = ? AND kind = ? ORDER BY number"
        return [(cast("str", key), _decoded(body)) for key, body in self._run(sql, org, kind)]

    def everywhere(self, kind: str) -> list[tuple[str, str, Document]]:
        """Organisations, ids and documents of a kind, oldest first."""
        sql = "SELECT org, id, body FROM documents WHERE kind = ? ORDER BY number"
        rows = self._run(sql, kind)
        return [(cast("str", org), cast("str", key), _decoded(body)) for org, key, body in rows]

    def _run(self, sql: str, *values: str | bytes) -> list[tuple[object, ...]]:
        try:
            return cast("list[tuple[object, ...]]", self._database.execute(sql, values).fetchall())
        except sqlite3.Error as error:
            text = f"the data directory cannot be read or written: {error}. Nothing was changed"
            raise RefusedError(message(503, text)) from error


def _decoded(body: object) -> Document:
    return cast("Document", orjson.loads(cast("bytes", body)))
