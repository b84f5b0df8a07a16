"""Group F of the fault catalogue: what people write into settings. Each test is named by its row.

A problem is one line that names the variable, its value (never a secret's), the rule and an example.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.sampling import bound_of, is_sampled
from returns.result import Failure

URL, TOKEN = "OPENOBSERVE_URL", "OPENOBSERVE_TOKEN"
GOOD = {URL: "http://localhost:5080", TOKEN: "user:s3cret-canary", "OPENOBSERVE_SPOOL_DIR": "none"}
LONG = "9" * 5_000


def accepted(**env: str) -> Configuration:
    return read(GOOD | env).unwrap()


def refused(**env: str) -> str:
    """The one problem, in one short line without a secret."""
    found = read(GOOD | env)
    assert isinstance(found, Failure), env
    (problem,) = found.failure()
    told = str(problem)
    assert "\n" not in told
    assert len(told) < 600
    assert "canary" not in told
    return told


@pytest.mark.parametrize(
    "raw", ["abc", "1e3", "5.0", "0x10", "0", "-5", "+5", "1_0", "٣", "1000000000", LONG]
)
def test_f1_a_batch_size_is_a_plain_number(raw: str) -> None:
    """ASCII digits from 1 to 10 000 and nothing else."""
    told = refused(OPENOBSERVE_BATCH_SIZE=raw)
    assert "OPENOBSERVE_BATCH_SIZE=" in told
    assert "for example" in told


@pytest.mark.parametrize(("raw", "value"), [("1", 1), ("10000", 10_000), (" 7 ", 7), ("", 100), (" ", 100)])
def test_f1_what_is_blank_counts_as_not_set(raw: str, value: int) -> None:
    """And what is a number is taken."""
    assert accepted(OPENOBSERVE_BATCH_SIZE=raw).settings.batch_size == value


@pytest.mark.parametrize(
    ("variable", "raw"),
    [
        ("OPENOBSERVE_FLUSH_INTERVAL", "0"),
        ("OPENOBSERVE_FLUSH_INTERVAL", "-1"),
        ("OPENOBSERVE_FLUSH_INTERVAL", "1"),
        ("OPENOBSERVE_FLUSH_INTERVAL", "1000000000000"),
        ("OPENOBSERVE_TIMEOUT", "30"),
        ("OPENOBSERVE_TIMEOUT", "0"),
        ("OPENOBSERVE_MAX_RETRIES", "-1"),
        ("OPENOBSERVE_MAX_RETRIES", "1000000"),
        ("OPENOBSERVE_METRIC_INTERVAL", "0"),
        ("OPENOBSERVE_EXIT_TIMEOUT", "0"),
    ],
)
def test_f2_times_and_counts_have_limits(variable: str, raw: str) -> None:
    """What would spin, never end or never begin is refused."""
    assert f"{variable}='{raw}'" in refused(**{variable: raw}) or f"{variable}={raw}" in refused(
        **{variable: raw}
    )


def test_f2_a_timeout_below_the_flush_interval_is_no_mistake() -> None:
    """One is how long a request may take, the other how long a record may wait."""
    settings = accepted(OPENOBSERVE_TIMEOUT="1s", OPENOBSERVE_FLUSH_INTERVAL="5s").settings
    assert (settings.timeout, settings.flush_interval) == (1_000, 5_000)


@pytest.mark.parametrize(
    "raw", ["nan", "inf", "-inf", "1.0000001", "0,1", "10%", "True", "1e309", "1e-1", "-0.1", LONG]
)
def test_f3_a_sampling_rate_is_a_number_from_0_to_1(raw: str) -> None:
    """Nothing that only Python would read as one."""
    assert "OPENOBSERVE_TRACING_SAMPLING_RATE=" in refused(OPENOBSERVE_TRACING_SAMPLING_RATE=raw)


@pytest.mark.parametrize(("raw", "rate"), [("0", 0.0), ("1", 1.0), ("0.25", 0.25), ("1.0", 1.0), ("", 0.1)])
def test_f3_what_is_a_rate_is_taken(raw: str, rate: float) -> None:
    """Exactly."""
    found = accepted(OPENOBSERVE_TRACING_SAMPLING_RATE=raw).settings.tracing_sampling_rate
    assert (found, str(found)) == (rate, str(rate))


def test_f3_a_negative_zero_is_zero_or_refused() -> None:
    """It never becomes a rate that prints as -0.0."""
    found = read(GOOD | {"OPENOBSERVE_TRACING_SAMPLING_RATE": "-0.0"})
    if not isinstance(found, Failure):
        assert str(found.unwrap().settings.tracing_sampling_rate) == "0.0"


@pytest.mark.parametrize(
    ("rate", "least", "most"), [(0.0, 0, 0), (1.0, 100_000, 100_000), (0.1, 9_715, 10_285)]
)
def test_f4_the_share_of_traces_is_the_rate(rate: float, least: int, most: int) -> None:
    """Exact at both ends, within three standard deviations between; failed ones get a late span (telemetry.md §2)."""
    random, bound = Random(4), bound_of(rate)
    assert least <= sum(is_sampled(random.getrandbits(128), bound) for _ in range(100_000)) <= most


@pytest.mark.parametrize(
    ("raw", "on"),
    [
        ("yes", True),
        ("1", True),
        ("TRUE", True),
        ("on", True),
        ("off", False),
        ("No", False),
        ("0", False),
        ("", True),
    ],
)
def test_f5_truth_has_a_few_words(raw: str, on: bool) -> None:  # noqa: FBT001 - a table
    """In any case; blank is the default."""
    assert accepted(OPENOBSERVE_TRACING_ENABLED=raw).settings.tracing_enabled is on


@pytest.mark.parametrize("raw", ["maybe", "2", "ja", "yess", "truth", "None"])
def test_f5_another_word_is_refused(raw: str) -> None:
    """With those that are understood."""
    assert "is not one of 1, 0, true" in refused(OPENOBSERVE_TRACING_ENABLED=raw)


@pytest.mark.parametrize(
    "raw",
    [
        "user:s3cret-canary\n",
        "  user:s3cret-canary  ",
        "Basic dXNlcjpzM2NyZXQtY2FuYXJ5",
        "dXNlcjpzM2NyZXQtY2FuYXJ5",
    ],
)
def test_f6_a_token_is_taken_in_every_form_that_people_copy(raw: str) -> None:
    """Stripped; a scheme that is there already is not put there twice."""
    assert accepted(OPENOBSERVE_TOKEN=raw).credentials.header.reveal() == "Basic dXNlcjpzM2NyZXQtY2FuYXJ5"


@pytest.mark.parametrize(
    "raw",
    ["s3cret-canary", "user:s3cret-canary\r\nX-Evil: 1", "user:s3cret-canary\x00", "Basic s3cret-canary!"],
)
def test_f6_a_token_that_cannot_work_is_not_shown(raw: str) -> None:
    """Not even in part."""
    assert TOKEN in refused(OPENOBSERVE_TOKEN=raw)


@pytest.mark.parametrize("raw", ["", "   "])
def test_f6_a_blank_token_is_a_missing_one(raw: str) -> None:
    """As if it were not there."""
    assert f"{TOKEN} is not set" in refused(OPENOBSERVE_TOKEN=raw)


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        ("http://localhost:5080/", "http://localhost:5080"),
        ("HTTPS://Observe.Example.COM//", "https://observe.example.com"),
        ("http://[::1]:5080", "http://[::1]:5080"),
        ("https://h.example/base/", "https://h.example/base"),
        (" http://localhost:5080 ", "http://localhost:5080"),
    ],
)
def test_f7_an_address_is_normalised(raw: str, url: str) -> None:
    """Case, slashes and blanks do not matter."""
    assert str(accepted(OPENOBSERVE_URL=raw).endpoint) == url


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("http://u:s3cret-canary@h", TOKEN),
        ("http://h?x=1", "query"),
        ("http://h#x", "fragment"),
        ("localhost:5080", "scheme"),
        ("observe.example.com", "scheme"),
        ("ftp://h", "http"),
        ("file:///etc/passwd", "http"),
        ("http://", "host"),
        ("http://h:0", "port"),
        ("http://h:99999", "port"),
        ("http://a b", ""),
        ("http://169.254.169.254", "metadata"),
    ],
)
def test_f7_what_is_no_address_is_refused(raw: str, says: str) -> None:
    """With what is wrong about it; credentials belong elsewhere and are not shown."""
    told = refused(OPENOBSERVE_URL=raw)
    assert URL in told
    assert says in told


@pytest.mark.parametrize(
    ("raw", "organization"),
    [
        ("http://localhost:5080/api/acme", "acme"),
        ("http://localhost:5080/api/default/v1/traces", "default"),
        ("http://localhost:5080/v1/logs", "default"),
    ],
)
def test_f8_an_address_of_too_much_is_cut_and_said(raw: str, organization: str) -> None:
    """What the vendor's page shows to copy works, with a hint."""
    found = accepted(OPENOBSERVE_URL=raw)
    assert (str(found.endpoint), found.organization) == ("http://localhost:5080", organization)
    assert any("is cut off" in warning for warning in found.warnings)


@pytest.mark.parametrize("variable", ["OPENOBSERVE_ORGANIZATION", "CQRS_STREAM_COMMANDS", "CQRS_STREAM_LOGS"])
@pytest.mark.parametrize("raw", ["../x", "a/b", "a?b", "a#b", "ä", "x" * 300, "a b", "%2e%2e", "a\nb"])
def test_f9_a_name_that_would_lead_elsewhere_is_refused(variable: str, raw: str) -> None:
    """No path, no query, nothing that the server would write differently without telling."""
    assert variable in refused(**{variable: raw})


def test_f9_a_name_is_sent_as_the_server_writes_it() -> None:
    """Lower case, one underscore for each run of other characters."""
    found = accepted(
        CQRS_STREAM_COMMANDS="My--App.Commands", CQRS_STREAM_TRACES="My-Traces", CQRS_STREAM_LOGS="App.Logs"
    )
    assert (found.streams["command"], found.stream_traces, found.stream_logs) == (
        "my_app_commands",
        "my_traces",
        "app_logs",
    )


@pytest.mark.parametrize("other", ["QUERIES", "EVENTS", "METRICS", "LOGS"])
def test_f10_two_streams_that_are_one_to_the_server_are_refused(other: str) -> None:
    """Records of two kinds in one stream would be told apart by nothing."""
    told = refused(CQRS_STREAM_COMMANDS="My-Stream", **{f"CQRS_STREAM_{other}": "my.stream"})
    assert "are one stream to the server (my_stream)" in told
    assert f"CQRS_STREAM_{other}" in told


def test_f10_spans_are_of_another_type_and_may_share_a_name() -> None:
    """The server keeps them apart."""
    assert accepted(CQRS_STREAM_COMMANDS="app", CQRS_STREAM_TRACES="app").stream_traces == "app"


# --- F16: init where something is in the way, on an old server and on a new one


@pytest.fixture
def site(start: Callable[[str], Any], env_of: Callable[[Any], dict[str, str]], live_version: str) -> Any:
    """A server on which nothing has been set up, and the variables for it."""
    live = start(live_version)
    return live, env_of(live)


def changes(live: Any) -> list[str]:
    """Have the gate note every request that could change something; searches do not."""
    noted: list[str] = []

    def answer(method: str, path: str, _: bytes) -> None:
        if method != "GET" and not path.endswith("/_search"):
            noted.append(f"{method} {path}")

    live.gate.answer = answer
    return noted


def test_f16_init_without_rights_says_so_and_changes_nothing(site: Any, command: Callable[..., Any]) -> None:
    """Exit 1 with the variable that is missing."""
    live, env = site
    noted = changes(live)
    result = command("init", **env | {"OPENOBSERVE_TOKEN": f"shop:{live.ingestion_token}"})
    assert result.exit_code == 1
    assert "OPENOBSERVE_ADMIN_TOKEN" in result.stderr
    assert live.ingestion_token not in result.output
    assert [each for each in noted if "/streams/" not in each] == []
    names = {each["name"] for each in live.request("GET", "/api/{org}/streams?type=logs").json()["list"]}
    assert names <= {"made"}


def test_f16_twice_changes_nothing(site: Any, command: Callable[..., Any]) -> None:
    """The second run asks, and sends nothing that could change anything."""
    live, env = site
    assert command("init", **env).exit_code == 0
    noted = changes(live)
    again = command("init", **env)
    assert again.exit_code == 0
    assert noted == []
    assert "created" not in again.stdout
    assert command("plan", **env).exit_code == 0


@pytest.mark.parametrize("allowed", [0, 2, 5, 9, 14])
def test_f16_what_was_half_created_is_completed(site: Any, command: Callable[..., Any], allowed: int) -> None:
    """Whichever request was the last that worked: exit 1 with a line for what failed, and a rerun that completes it."""
    live, env = site
    noted = changes(live)
    note = live.gate.answer

    def answer(method: str, path: str, body: bytes) -> Any:
        note(method, path, body)
        return (
            (503, b'{"code":503,"message":"busy"}')
            if len(noted) > allowed and noted[-1] == f"{method} {path}"
            else None
        )

    live.gate.answer = answer
    broken = command("init", **env)
    assert broken.exit_code == 1, broken.output
    assert "503" in broken.stderr
    assert "Fix:" in broken.stderr

    live.gate.reset()
    assert command("plan", **env).exit_code == 2
    mended = command("init", **env)
    assert mended.exit_code == 0, mended.output
    assert command("plan", **env).exit_code == 0


def test_f16_alerts_of_somebody_else_stay_as_they_are(site: Any, command: Callable[..., Any]) -> None:
    """One with the name of ours is left alone, and ours is made beside it, once."""
    live, env = site
    assert command("init", **env).exit_code == 0

    def alerts() -> dict[str, Any]:
        listed = live.request("GET", "/api/v2/{org}/alerts").json()["list"]
        ids = [each["alert_id"] for each in listed if each["name"] == "cqrs_event_dead_letters"]
        return {each: live.request("GET", f"/api/v2/{{org}}/alerts/{each}").json() for each in ids}

    ((ours, body),) = alerts().items()
    theirs = {name: value for name, value in body.items() if name not in {"id", "context_attributes"}}
    theirs |= {"description": "mine", "enabled": False}
    live.request("DELETE", f"/api/v2/{{org}}/alerts/{ours}")
    live.request("POST", "/api/v2/{org}/alerts", json=theirs)
    before = alerts()
    for _ in range(2):
        assert command("init", **env).exit_code == 0
    after = alerts()
    assert len(after) == 2
    assert {each: after[each] for each in before} == before
