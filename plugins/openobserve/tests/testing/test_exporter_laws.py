"""The plugin's own exporter keeps the laws; that each law finds something is in property_tests/mutants."""

from cqrs_openobserve.testing.exporter_laws import EXPORTER_LAWS
from cqrs_openobserve.testing.own_subjects import own_exporter

from cqrs.testing import laws_for

TestOwnExporter = laws_for("TestOwnExporter", EXPORTER_LAWS, subject=own_exporter())
