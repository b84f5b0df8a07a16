"""Credentials of a data directory."""

from pathlib import Path

import pytest
from cqrs_local.credentials import FILE_NAME, load_or_make


def test_a_restart_keeps_them(tmp_path: Path) -> None:
    """What a shell exported yesterday works today."""
    assert load_or_make(tmp_path) == load_or_make(tmp_path)


def test_two_directories_have_different_ones(tmp_path: Path) -> None:
    """Secrets are random and long."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = load_or_make(tmp_path / "a"), load_or_make(tmp_path / "b")

    assert first.secret != second.secret
    assert first.ingestion_token != second.ingestion_token
    assert len(first.secret.reveal()) == 32


def test_the_file_is_for_its_user_alone(tmp_path: Path) -> None:
    """Nobody else on the machine reads the secret, and it is not shown by accident."""
    made = load_or_make(tmp_path)

    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert made.secret.reveal() not in repr(made)


def test_the_token_is_user_and_secret(tmp_path: Path) -> None:
    """As OPENOBSERVE_TOKEN takes it."""
    made = load_or_make(tmp_path)

    assert made.token == f"root@example.com:{made.secret.reveal()}"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"user": "a"}'])
def test_a_damaged_file_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    """It is not replaced in silence: running apps hold what was in it."""
    (tmp_path / FILE_NAME).write_bytes(content)

    with pytest.raises(ValueError, match="damaged: remove it"):
        load_or_make(tmp_path)
