from pathlib import Path

import pytest
from cqrs_swr.settings import Settings

from cqrs.settings import load


def test_nothing_has_to_be_set() -> None:
    """And what is not set is not 0."""
    settings = load(Settings, {}).unwrap()

    assert (settings.enabled, settings.ttl, settings.stale, settings.fail_safe) == (True, None, None, None)
    assert (settings.dir, settings.size_limit, settings.coherence) == (None, 1024**3, 1.0)


def test_zero_is_zero() -> None:
    """It switches off, which is another thing than saying nothing."""
    env = {"CQRS_SWR_TTL": "0", "CQRS_SWR_STALE": "0", "CQRS_SWR_FAIL_SAFE": "0"}
    settings = load(Settings, env).unwrap()

    assert (settings.ttl, settings.stale, settings.fail_safe) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1048576", 1024**2), ("1MiB", 1024**2), ("256 MiB", 256 * 1024**2), ("2GiB", 2 * 1024**3)],
)
def test_sizes_have_units(text: str, size: int) -> None:
    """Bytes without one."""
    assert load(Settings, {"CQRS_SWR_SIZE_LIMIT": text}).unwrap().size_limit == size


@pytest.mark.parametrize("text", ["1", "1MB", "-5MiB", "9" * 30, "2000GiB", "1.5GiB", "²MiB"])
def test_sizes_that_are_none_are_refused(text: str) -> None:
    """Too small, too large, or in no unit that is known."""
    (problem,) = load(Settings, {"CQRS_SWR_SIZE_LIMIT": text}).failure()

    assert "is not a size from 1MiB to 1024GiB" in problem.text


def test_the_folder_is_absolute() -> None:
    """It must not depend on where a process was started."""
    assert load(Settings, {"CQRS_SWR_DIR": "/var/cache/orders"}).unwrap().dir == Path("/var/cache/orders")
    assert "absolute" in load(Settings, {"CQRS_SWR_DIR": "cache"}).failure()[0].text
