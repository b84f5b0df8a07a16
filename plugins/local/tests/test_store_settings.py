"""When the store writes."""

from cqrs_local.store_settings import StoreSettings


def test_memory_holds_more_than_one_segment() -> None:
    """A flush that is under way does not stop ingestion."""
    settings = StoreSettings()

    assert settings.memory_rows >= 2 * settings.segment_rows
