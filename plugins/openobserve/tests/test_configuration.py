"""Rules that concern several settings, and what is worth a warning."""

from pathlib import Path

import pytest
from cqrs_openobserve.configuration import Configuration, read
from returns.result import Failure

from cqrs.secret import Secret

GOOD = {"OPENOBSERVE_URL": "http://localhost:5080", "OPENOBSERVE_TOKEN": "user:s3cret-canary"}


def configured(**env: str) -> Configuration:
    return read({"HOME": "/home/somebody"} | GOOD | env).unwrap()


def problems(env: dict[str, str], **given: object) -> str:
    found = read(GOOD | env, given)
    assert isinstance(found, Failure)
    told = "\n".join(map(str, found.failure()))
    assert "canary" not in told
    return told


def test_defaults() -> None:
    """Two variables are enough."""
    configuration = configured()
    assert configuration.organization == "default"
    assert configuration.streams == {
        "command": "cqrs_commands",
        "query": "cqrs_queries",
        "event": "cqrs_events",
    }
    assert configuration.warnings == ()
    assert configuration.admin is configuration.credentials
    assert "canary" not in repr(configuration)


def test_given_values_win_over_the_environment() -> None:
    """Texts, numbers, booleans and secrets are read like the environment's texts."""
    found = read(
        GOOD | {"OPENOBSERVE_BATCH_SIZE": "7"},
        {"batch_size": 50, "enabled": False, "token": Secret("a:b"), "timeout": "3s", "url": "http://h"},
    ).unwrap()
    assert (found.settings.batch_size, found.settings.enabled, found.settings.timeout) == (50, False, 3000)
    assert str(found.endpoint) == "http://h"
    assert found.credentials.header.reveal() == "Basic YTpi"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"batch_size": None}, "batch_size=None is a NoneType"),
        ({"batch_size": b"5"}, "batch_size=b'5' is a bytes"),
        ({"batch_size": ["x"]}, "is a list"),
        ({"batch_size": "many"}, "batch_size='many' is not a whole number"),
        ({"batch_size": 0}, "batch_size=0 is not a whole number from 1"),
        ({"batch_sise": 5}, "batch_sise is not a setting"),
        ({"token": None}, "token is a NoneType"),
        ({"token": ""}, "token is blank"),
        ({"url": "http://u:hunter2@h"}, "credentials"),
        ({"enabled": "maybe"}, "enabled='maybe' is not one of"),
    ],
)
def test_a_wrong_argument_is_told_by_its_name(given: dict[str, object], says: str) -> None:
    """As a problem, not as an exception; what was given but wrong is not called missing too."""
    told = problems({}, **given)
    assert says in told
    assert told.count("\n") == 0
    assert "hunter2" not in told


def test_a_given_token_that_is_wrong_is_not_also_missing() -> None:
    """One mistake, one problem."""
    found = read({}, {"url": "http://h", "token": 5.0})
    assert isinstance(found, Failure)
    assert [problem.text for problem in found.failure()] == [
        "token is a float, not a text, number or boolean."
    ]


def test_an_organisation_in_the_url_is_used_and_said() -> None:
    """A URL that was copied with its end leads to the right organisation."""
    configuration = configured(OPENOBSERVE_URL="http://localhost:5080/api/acme/")
    assert (configuration.organization, str(configuration.endpoint)) == ("acme", "http://localhost:5080")
    assert "ends with /api/acme, which is cut off" in configuration.warnings[0]


def test_two_different_organisations_are_refused() -> None:
    """Which one is meant cannot be guessed."""
    told = problems({"OPENOBSERVE_URL": "http://h/api/acme", "OPENOBSERVE_ORG": "other"})
    assert "'acme'" in told
    assert "'other'" in told


def test_an_organisation_in_the_url_obeys_the_rules_of_identifiers() -> None:
    """The end of a URL is no way around them."""
    assert "'..'" in problems({"OPENOBSERVE_URL": "http://h/api/.."})


def test_streams_that_are_one_to_the_server_are_refused() -> None:
    """Case and punctuation do not tell two streams apart."""
    told = problems({"CQRS_STREAM_QUERIES": "CQRS.commands"})
    assert "CQRS_STREAM_COMMANDS='cqrs-commands' and CQRS_STREAM_QUERIES='CQRS.commands'" in told
    assert "cqrs_commands" in told


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "2852039166", "metadata.google.internal"])
def test_link_local_addresses_need_a_word(host: str) -> None:
    """They hand out credentials of the machine."""
    assert "OPENOBSERVE_ALLOW_LINK_LOCAL" in problems({"OPENOBSERVE_URL": f"http://{host}"})
    assert configured(OPENOBSERVE_URL=f"http://{host}", OPENOBSERVE_ALLOW_LINK_LOCAL="true")


def test_a_bare_secret_needs_a_user() -> None:
    """The message names both variables and shows neither value."""
    told = problems({"OPENOBSERVE_TOKEN": "s3cret-canary"})
    assert "OPENOBSERVE_TOKEN" in told
    assert "OPENOBSERVE_USER" in told
    admin = problems({"OPENOBSERVE_ADMIN_TOKEN": "admin-canary"})
    assert "OPENOBSERVE_ADMIN_TOKEN is a secret without a user" in admin


def test_a_certificate_file_is_looked_at(tmp_path: Path) -> None:
    """Missing or not PEM: said at start, not at the first request."""
    assert "cannot be read" in problems({"OPENOBSERVE_CA_FILE": str(tmp_path / "none.pem")})
    (tmp_path / "text.pem").write_text("hello")
    assert "OPENOBSERVE_CA_FILE" in problems({"OPENOBSERVE_CA_FILE": str(tmp_path / "text.pem")})


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"OPENOBSERVE_URL": "http://example.com"}, "in the clear"),
        ({"OPENOBSERVE_INSECURE_TLS": "1"}, "OPENOBSERVE_INSECURE_TLS"),
        ({"OPENOBSERVE_TOKEN": "Bearer canary"}, "OPENOBSERVE_TOKEN holds a Bearer token"),
    ],
)
def test_what_deserves_a_warning_gets_one(env: dict[str, str], says: str) -> None:
    """At every start, without the secret."""
    warnings = configured(**env).warnings
    assert len(warnings) == 1
    assert says in warnings[0]
    assert "canary" not in warnings[0]


def test_without_a_home_records_wait_in_memory_and_it_is_said() -> None:
    """One warning, which names what to set; none if memory was chosen."""
    unknown = read(GOOD).unwrap()
    (warning,) = unknown.warnings
    assert unknown.spool.root is None
    assert "OPENOBSERVE_SPOOL_DIR" in warning
    chosen = read(GOOD, {"spool_dir": "none"}).unwrap()
    assert (chosen.spool.root, chosen.warnings) == (None, ())


def test_the_same_without_a_spool() -> None:
    """For proofs, which must not be late."""
    configuration = configured()
    assert configuration.spool.root is not None
    assert configuration.without_spool().spool.root is None
    assert configuration.without_spool().streams == configuration.streams
