"""Every variable: a wrong value is told by the variable's name, and no secret is told at all."""

import attrs
import pytest
from cqrs_openobserve import Settings
from returns.result import Failure, Success

from cqrs.secret import Secret
from cqrs.settings import load, report, variables

GOOD = {"OPENOBSERVE_URL": "http://localhost:5080", "OPENOBSERVE_TOKEN": "user:s3cret-canary"}
VARIABLES = [variable for variable, _ in variables(Settings)]
NUMERIC = [v.name for v in VARIABLES if v.parser.kind.startswith(("integer", "milliseconds", "number"))]
BOOLEAN = [v.name for v in VARIABLES if v.parser.kind == "boolean"]


def problems(**env: str) -> str:
    found = load(Settings, GOOD | env)
    assert isinstance(found, Failure)
    return "\n".join(map(str, found.failure()))


def test_the_numeric_variables_are_found() -> None:
    """The lists below are taken from the class, and are not empty."""
    assert {"OPENOBSERVE_BATCH_SIZE", "OPENOBSERVE_TIMEOUT", "CQRS_SLOW_EVENT_MS"} <= set(NUMERIC)
    assert {"OPENOBSERVE_ENABLED", "OPENOBSERVE_INSECURE_TLS"} <= set(BOOLEAN)


@pytest.mark.parametrize("name", NUMERIC)
@pytest.mark.parametrize(
    "text",
    ["abc", "many", "1e3", "0x10", "-5", "nan", "inf", "1_000", "١٢", "9" * 5000, "10 %", "None", "true"],
)
def test_text_instead_of_a_number_names_the_variable(name: str, text: str) -> None:
    """In every numeric variable, with the rule and an example, in one short line."""
    told = problems(**{name: text})
    assert told.count("\n") == 0
    assert f"{name}=" in told
    assert "Fix: for example" in told
    assert len(told) < 500
    assert "canary" not in told


@pytest.mark.parametrize("name", BOOLEAN)
@pytest.mark.parametrize("text", ["maybe", "2", "ja", "yess"])
def test_text_instead_of_a_boolean_names_the_variable(name: str, text: str) -> None:
    """The accepted words are listed."""
    assert f"{name}='{text}' is not one of 1, 0, true" in problems(**{name: text})


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("OPENOBSERVE_BATCH_SIZE", "0", "from 1 to 10000"),
        ("OPENOBSERVE_BATCH_SIZE", "10001", "from 1 to 10000"),
        ("OPENOBSERVE_TIMEOUT", "30", "did you mean 30000?"),
        ("OPENOBSERVE_TIMEOUT", "99", "did you mean 99000?"),
        ("OPENOBSERVE_MAX_RETRIES", "-1", "whole number"),
        ("OPENOBSERVE_FLUSH_INTERVAL", "0", "outside"),
        ("CQRS_LOG_LEVEL", "LOUD", "DEBUG, INFO, WARN, ERROR"),
        ("OPENOBSERVE_ORGANIZATION", "../x", "organisation identifier"),
        ("OPENOBSERVE_ORGANIZATION", "a/b", "organisation identifier"),
        ("OPENOBSERVE_ORGANIZATION", "a?b", "organisation identifier"),
        ("OPENOBSERVE_ORGANIZATION", "a#b", "organisation identifier"),
        ("OPENOBSERVE_ORGANIZATION", "ü", "organisation identifier"),
        ("OPENOBSERVE_ORGANIZATION", "x" * 300, "organisation identifier"),
        ("CQRS_STREAM_COMMANDS", "../x", "stream name"),
        ("CQRS_STREAM_QUERIES", "a/b", "stream name"),
        ("CQRS_STREAM_EVENTS", "x" * 300, "stream name"),
        ("CQRS_STREAM_EVENTS", "_timestamp", "stream name"),
        ("OPENOBSERVE_PROXY", "https://proxy:3128", "plain proxy address"),
        ("OPENOBSERVE_PROXY", "proxy:3128", "no scheme"),
        ("OTEL_RESOURCE_ATTRIBUTES", "novalue", "key=value"),
        ("OPENOBSERVE_URL", "localhost:5080", "no scheme"),
        ("OPENOBSERVE_TOKEN", "user:s3cret-canary\r\nX-Evil: 1", "line break"),
        ("OPENOBSERVE_TOKEN", "x" * 20_000, "longer than"),
    ],
)
def test_values_that_break_a_rule_are_told(name: str, text: str, says: str) -> None:
    """Each names its variable and the rule."""
    told = problems(**{name: text})
    assert name in told
    assert says in told
    assert "canary" not in told


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("OPENOBSERVE_TIMEOUT", "30s", "timeout", 30_000),
        ("OPENOBSERVE_TIMEOUT", "250ms", "timeout", 250),
        ("OPENOBSERVE_ORG", "acme", "organization", "acme"),
        ("OPENOBSERVE_AUTH_TOKEN", "ignored:while TOKEN is set", "token", Secret("user:s3cret-canary")),
        ("CQRS_LOG_LEVEL", "warn", "log_level", "WARN"),
        ("OPENOBSERVE_ENABLED", "OFF", "enabled", False),
        ("OPENOBSERVE_BATCH_SIZE", "  ", "batch_size", 100),
        ("OPENOBSERVE_PROXY", "http://proxy:3128", "proxy", "http://proxy:3128"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.version=1%2E2, host.name=a,",
            "resource_attributes",
            {"service.version": "1.2", "host.name": "a"},
        ),
    ],
)
def test_values_are_read(name: str, text: str, field: str, value: object) -> None:
    """Units, aliases, words in any case; blank is unset."""
    assert getattr(load(Settings, GOOD | {name: text}).unwrap(), field) == value


def test_all_problems_come_at_once() -> None:
    """Nobody has to mend one variable to hear of the next."""
    told = problems(OPENOBSERVE_BATCH_SIZE="x", OPENOBSERVE_TIMEOUT="y", OPENOBSERVE_URL="z")
    assert len(told.splitlines()) == 3


def test_a_partly_set_plugin_says_what_is_missing() -> None:
    """A URL without a token is a mistake, not a wish to be off."""
    found = load(Settings, {"OPENOBSERVE_URL": "http://h"})
    assert isinstance(found, Failure)
    assert [problem.text.partition(" ")[0] for problem in found.failure()] == ["OPENOBSERVE_TOKEN"]


def test_a_password_in_the_url_is_not_shown_back() -> None:
    """The rule about credentials in URLs must not repeat them."""
    told = problems(OPENOBSERVE_URL="http://user:hunter2@h")
    assert "OPENOBSERVE_TOKEN" in told
    assert "hunter2" not in told


def test_every_setting_has_a_sentence_and_an_example_that_works() -> None:
    """The table of settings is generated from these."""
    for field, variable in zip(attrs.fields(Settings), VARIABLES, strict=True):
        assert variable.doc.endswith("."), field.name
        variable.parser.parse(variable.example)


def test_secrets_are_masked_in_the_report() -> None:
    """What ``cqrs config`` prints of this class."""
    settings = load(Settings, GOOD | {"OPENOBSERVE_ADMIN_TOKEN": "a:admin-canary"}).unwrap()
    shown = f"{report(settings, GOOD)} {settings!r} {attrs.asdict(settings)}"
    assert "canary" not in shown
    assert isinstance(load(Settings, GOOD), Success)
