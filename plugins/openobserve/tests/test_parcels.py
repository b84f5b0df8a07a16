"""A payload on its way."""

from pathlib import Path

from cqrs_openobserve.parcels import Parcel
from cqrs_openobserve.payloads import json_payloads
from cqrs_openobserve.spool_files import SpoolFile


def test_a_parcel_is_in_memory_or_in_the_spool() -> None:
    """By what it is made of; the books need no more than it tells either way."""
    payload = next(json_payloads("s", [(b"{}", 3), (b"{}", 4)]))
    file = SpoolFile(Path("x"), "traces", 7, 1, 0)
    held, spooled = Parcel(payload, 3, 1, 9), Parcel(file, 2, 0, 9)

    assert (held.payload, held.file, held.signal, held.records) == (payload, None, "logs", 2)
    assert (spooled.payload, spooled.file, spooled.signal, spooled.records) == (None, file, "traces", 7)
    assert (held.refusals, held.set_aside, held.suspicious) == (0, False, False)
