"""Every command, query and event of returns-cqrs, recorded in OpenObserve, with books that say what did not arrive.

Install it and set ``OPENOBSERVE_URL``, ``OPENOBSERVE_ORGANIZATION`` and ``OPENOBSERVE_TOKEN``: nothing else.
"""

from cqrs_openobserve.ledger import FlushReport, SignalLedger
from cqrs_openobserve.lifecycle import install_signal_flush
from cqrs_openobserve.log_handler import OpenObserveHandler
from cqrs_openobserve.payloads import Signal
from cqrs_openobserve.plugin import OpenObserve
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.settings import Settings
from cqrs_openobserve.telemetry import Telemetry
from cqrs_openobserve.thresholds import Threshold

__all__ = [
    "AlertRule",
    "FlushReport",
    "OpenObserve",
    "OpenObserveHandler",
    "Settings",
    "Signal",
    "SignalLedger",
    "Telemetry",
    "Threshold",
    "install_signal_flush",
]
