"""The plugin keeps every law of plugins, and the one of transparency under every row of the fault catalogue."""

from cqrs_openobserve.plugin import plugin
from cqrs_openobserve.testing import TRANSPARENCY_LAWS, own_plugin
from hypothesis import settings

from cqrs.testing import PLUGIN_LAWS, PluginSubject, laws_for

# Each example takes apps, threads and their stop.
FEW = settings(max_examples=max(5, settings().max_examples // 10))

TestTransparency = laws_for("TestTransparency", TRANSPARENCY_LAWS, subject=own_plugin(), settings=FEW)

# Nothing listens at its server.
ENV = {
    "OPENOBSERVE_URL": "http://127.0.0.1:9",
    "OPENOBSERVE_TOKEN": "user:secret",
    "OPENOBSERVE_SPOOL_DIR": "none",
    "OPENOBSERVE_EXIT_TIMEOUT": "100ms",
}
TestPlugin = laws_for("TestPlugin", PLUGIN_LAWS, subject=PluginSubject(plugin, ENV), settings=FEW)
