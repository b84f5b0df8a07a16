"""For tests of telemetry: servers that misbehave as told, and laws that any exporter can be held to.

The laws need hypothesis (``pip install returns-cqrs-openobserve[testing]``) and are loaded when they are used first.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from cqrs_openobserve.testing.fault_server import (
    Behaviour,
    Drip,
    FaultServer,
    Hang,
    Received,
    Reply,
    Reset,
    store_all,
    stored,
)
from cqrs_openobserve.testing.recording_transport import RecordingTransport, counted, rows_of, taken
from cqrs_openobserve.testing.rows import POISON, ROWS, Row, rows

if _TYPE_CHECKING:
    from cqrs_openobserve.testing.exporter_laws import EXPORTER_LAWS, ExporterSubject, SteppedExporter
    from cqrs_openobserve.testing.own_subjects import own_exporter, own_plugin, own_running_exporter
    from cqrs_openobserve.testing.played_server import Played, PlayedServer, playing
    from cqrs_openobserve.testing.running_laws import RUNNING_LAWS, RunningExporter, RunningSubject
    from cqrs_openobserve.testing.transparency_laws import TRANSPARENCY_LAWS, TransparencySubject

__all__ = [
    "EXPORTER_LAWS",
    "POISON",
    "ROWS",
    "RUNNING_LAWS",
    "TRANSPARENCY_LAWS",
    "Behaviour",
    "Drip",
    "ExporterSubject",
    "FaultServer",
    "Hang",
    "Played",
    "PlayedServer",
    "Received",
    "RecordingTransport",
    "Reply",
    "Reset",
    "Row",
    "RunningExporter",
    "RunningSubject",
    "SteppedExporter",
    "TransparencySubject",
    "counted",
    "own_exporter",
    "own_plugin",
    "own_running_exporter",
    "playing",
    "rows",
    "rows_of",
    "store_all",
    "stored",
    "taken",
]

_MODULES = {
    "exporter_laws": ("EXPORTER_LAWS", "ExporterSubject", "SteppedExporter"),
    "own_subjects": ("own_exporter", "own_plugin", "own_running_exporter"),
    "played_server": ("Played", "PlayedServer", "playing"),
    "running_laws": ("RUNNING_LAWS", "RunningExporter", "RunningSubject"),
    "transparency_laws": ("TRANSPARENCY_LAWS", "TransparencySubject"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

if not _TYPE_CHECKING:  # the checkers know every name from the imports above, and miss one that is not there

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(_import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
