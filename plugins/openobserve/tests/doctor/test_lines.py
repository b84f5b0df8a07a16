"""Lines, the worst of them, and the JSON that programs read."""

import json

import pytest
from cqrs_openobserve.doctor.lines import Line, Report, Setting, Status, worst

OK = Line("network", "dns", "ok", "found")
WARN = Line("clock", "skew", "warn", "odd", "set it")
FAIL = Line("server", "openobserve", "fail", "gone", "start it")


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        ((), "ok", 0),
        ((OK,), "ok", 0),
        ((OK, WARN, OK), "warn", 1),
        ((FAIL, WARN, OK), "fail", 2),
        ((WARN, FAIL), "fail", 2),
    ],
    ids=["none", "ok", "warn", "fail first", "fail last"],
)
def test_the_worst_line_decides_the_exit_code(lines: tuple[Line, ...], status: Status, code: int) -> None:
    """0, 1 or 2, whatever the order."""
    assert worst(lines) == status
    assert Report("", "", lines).exit_code == code


def test_json_has_the_documented_keys() -> None:
    """The schema is stable: what is here is in the reference documentation, and nothing else."""
    report = Report("http://h", "default", (OK, WARN), (Setting("A_B", "1", "A_B"),))
    assert json.loads(report.as_json()) == {
        "version": 1,
        "status": "warn",
        "exit_code": 1,
        "url": "http://h",
        "organization": "default",
        "lines": [
            {"section": "network", "name": "dns", "status": "ok", "text": "found", "fix": ""},
            {"section": "clock", "name": "skew", "status": "warn", "text": "odd", "fix": "set it"},
        ],
        "settings": [{"variable": "A_B", "value": "1", "source": "A_B"}],
    }
