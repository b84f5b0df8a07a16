from cqrs.core_variables import CORE_VARIABLES, core_report
from cqrs.settings import SettingReport


def test_what_is_set_is_told_with_its_variable_and_what_is_blank_as_the_default() -> None:
    """One line per variable; blank is not set."""
    report = {line.variable: line for line in core_report({"CQRS_PLUGINS": "none", "CQRS_APP": " "})}

    assert list(report) == [variable.name for variable in CORE_VARIABLES]
    assert report["CQRS_PLUGINS"] == SettingReport("CQRS_PLUGINS", "none", "CQRS_PLUGINS")
    assert report["CQRS_APP"] == SettingReport("CQRS_APP", "", "default")
