"""The plugin's own exporter keeps the laws on its threads; that each law finds something is in property_tests/mutants."""

from cqrs_openobserve.testing import RUNNING_LAWS, own_running_exporter
from hypothesis import settings

from cqrs.testing import laws_for

# Each example takes a server, threads and a stop.
FEW = settings(max_examples=max(3, settings().max_examples // 10))

TestOwnRunningExporter = laws_for(
    "TestOwnRunningExporter", RUNNING_LAWS, subject=own_running_exporter(), settings=FEW
)
