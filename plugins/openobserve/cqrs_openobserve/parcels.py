"""A payload on its way, in memory or in the spool."""

from typing import final

from cqrs_openobserve.payloads import Payload, Signal
from cqrs_openobserve.spool_files import SpoolFile


@final
class Parcel:
    """A payload on its way, in memory or in the spool; only its delivery changes it.

    Args:
        of: the payload, or its file.
        oldest_ns: when its oldest record became complete, monotonic ns.
        sequence: order of arrival.
        since_ns: when it came, monotonic ns.

    Attributes:
        signal: its signal.
        payload: the payload; None while it lies in the spool.
        file: where it lies in the spool, or None.
        records: how many records it holds.
        oldest_ns: when the oldest became complete, monotonic ns.
        sequence: order of arrival; the parts of a split payload share it.
        since_ns: when it came, monotonic ns.
        refusals: answers of a live server that neither took nor explained it.
        set_aside: whether others go first, to see whether the server takes those.
        suspicious: whether the server took others meanwhile, so that the fault is in here.
    """

    __slots__ = (
        "file",
        "oldest_ns",
        "payload",
        "records",
        "refusals",
        "sequence",
        "set_aside",
        "signal",
        "since_ns",
        "suspicious",
    )

    def __init__(self, of: Payload | SpoolFile, oldest_ns: int, sequence: int, since_ns: int) -> None:
        self.signal: Signal = of.signal
        self.payload = of if isinstance(of, Payload) else None
        self.file = of if isinstance(of, SpoolFile) else None
        self.records = of.records
        self.oldest_ns = oldest_ns
        self.sequence = sequence
        self.since_ns = since_ns
        self.refusals = 0
        self.set_aside = self.suspicious = False
