"""Which streams exist, in memory and on disk."""

from pathlib import Path

import pytest
from cqrs_local.catalogue import FILE_NAME, Catalogue, CatalogueFile
from cqrs_local.column_types import ColumnType

KEY = ("default", "logs", "s")


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Organisations, streams, columns, settings, the next id."""
    catalogue = Catalogue()
    stream = catalogue.create(KEY, 5, by_ingestion=False)
    stream.columns["a"] = ColumnType.FLOAT64
    stream.settings["data_retention"] = 3
    CatalogueFile(tmp_path).save(1, catalogue.encode())

    loaded = CatalogueFile(tmp_path).load()

    assert loaded.find(KEY) == stream
    assert loaded.orgs == {"default": 1}
    assert loaded.create(("default", "logs", "t"), 6).id == stream.id + 1


def test_an_older_version_never_wins(tmp_path: Path) -> None:
    """Saves come from several threads: the later state stays."""
    file = CatalogueFile(tmp_path)
    newer = Catalogue()
    newer.create(KEY, 1)
    file.save(2, newer.encode())
    file.save(1, Catalogue().encode())

    assert file.load().find(KEY) is not None


def test_an_id_is_never_used_again() -> None:
    """Rows of a deleted stream in an old log do not come up in a new one of the same name."""
    catalogue = Catalogue()
    first = catalogue.create(KEY, 1)
    catalogue.remove(first)
    second = catalogue.create(KEY, 2)

    assert second.id > first.id
    assert catalogue.restore(first.id, KEY, 1) is None
    assert catalogue.restore(second.id, KEY, 2) is second


def test_a_stream_that_only_the_log_knows_comes_back() -> None:
    """Its id is one that the catalogue has not reached yet."""
    restored = Catalogue().restore(4, KEY, 9)

    assert restored is not None
    assert (restored.id, restored.key, restored.created_at) == (4, KEY, 9)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"orgs": {}}', b'{"orgs":{},"next_id":1,"streams":[{}]}'])
def test_a_damaged_catalogue_is_said(tmp_path: Path, content: bytes) -> None:
    """It is not taken for an empty one: that would drop every segment."""
    (tmp_path / FILE_NAME).write_bytes(content)

    with pytest.raises(ValueError, match="is damaged: restore it"):
        CatalogueFile(tmp_path).load()


def test_a_missing_catalogue_beside_segments_is_said(tmp_path: Path) -> None:
    """Segments without it would be removed as belonging to nobody."""
    (tmp_path / "segments" / "1").mkdir(parents=True)

    with pytest.raises(ValueError, match="missing beside the segments"):
        CatalogueFile(tmp_path).load()
