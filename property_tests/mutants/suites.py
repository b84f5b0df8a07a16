"""Every suite of `cqrs.testing`, what keeps its laws, and what does not."""

from property_tests.mutants.buses import BUSES
from property_tests.mutants.dead_letter_queues import DEAD_LETTER_QUEUES
from property_tests.mutants.exporters import EXPORTERS
from property_tests.mutants.handlers import HANDLERS
from property_tests.mutants.middlewares import MIDDLEWARES
from property_tests.mutants.plugin_classes import PLUGIN_CLASSES
from property_tests.mutants.retries import RETRIES
from property_tests.mutants.running_exporters import RUNNING_EXPORTERS
from property_tests.mutants.setting_classes import SETTING_CLASSES
from property_tests.mutants.telemetry_plugins import TELEMETRY_PLUGINS

SUITES = (
    HANDLERS,
    MIDDLEWARES,
    BUSES,
    RETRIES,
    DEAD_LETTER_QUEUES,
    PLUGIN_CLASSES,
    SETTING_CLASSES,
    EXPORTERS,
    RUNNING_EXPORTERS,
    TELEMETRY_PLUGINS,
)
