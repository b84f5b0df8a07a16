"""Where the server's log goes: a line to stderr, the whole story to a file in the data directory."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

FILE_NAME: Final = "server.log"
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_MOST_BYTES: Final = 1_000_000


class OneLine(logging.Formatter):
    """Leaves tracebacks to the file."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without what was raised."""
        return f"cqrs local: {record.getMessage()}"


def start_logging(directory: Path) -> None:
    """Send warnings to stderr and to `server.log`, which is made with the first of them.

    Args:
        directory: the data directory.
    """
    lines = logging.StreamHandler()
    lines.setFormatter(OneLine())
    story = RotatingFileHandler(directory / FILE_NAME, maxBytes=_MOST_BYTES, backupCount=1, delay=True)
    story.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    root.addHandler(lines)
    root.addHandler(story)
