"""Where the server's log goes."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from cqrs_local.cli.logs import FILE_NAME, start_logging


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was before."""
    logger = logging.getLogger()
    before, level = logger.handlers[:], logger.level
    logger.handlers[:] = []
    yield logger
    for handler in logger.handlers:
        handler.close()
    logger.handlers[:] = before
    logger.setLevel(level)


@pytest.mark.usefixtures("root")
def test_stderr_gets_a_line_and_the_file_the_story(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback reaches the user, none is lost."""
    start_logging(tmp_path)
    try:
        int("the reason")
    except ValueError:
        logging.getLogger("cqrs_local").exception("it failed")

    assert capsys.readouterr().err == "cqrs local: it failed\n"
    assert "ValueError: invalid literal" in (tmp_path / FILE_NAME).read_text()


@pytest.mark.usefixtures("root")
def test_there_is_no_file_without_a_reason(tmp_path: Path) -> None:
    """Nothing to say, nothing to rotate."""
    start_logging(tmp_path)
    logging.getLogger("cqrs_local").info("all is well")

    assert list(tmp_path.iterdir()) == []
