"""Streams that are there or not, under which name, and how fresh: from facts to lines."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.doctor.streams import (
    StreamFacts,
    StreamType,
    age_text,
    judge,
    look,
    names_of,
    namesakes,
)
from cqrs_openobserve.plugin import client_of

Configure = Callable[..., Configuration]
ALL = ("cqrs_commands", "cqrs_queries", "cqrs_events")


def said(
    configure: Configure,
    logs: tuple[str, ...] | None,
    newest: Mapping[tuple[StreamType, str], float | None] | None = None,
    **given: str,
) -> dict[str, tuple[str, str, str]]:
    names: dict[StreamType, tuple[str, ...] | None] = {"logs": logs, "metrics": (), "traces": ()}
    lines = judge(configure(**given), StreamFacts(names, newest or {}))
    return {line.name: (line.status, line.text, line.fix) for line in lines}


def test_a_stream_that_is_missing_is_made_by_init(configure: Configure) -> None:
    """The three of records fail, because alerts read them."""
    lines = said(configure, ("cqrs_commands",), {("logs", "cqrs_commands"): 3.0})
    assert lines["cqrs_commands"][0] == "ok"
    assert lines["cqrs_queries"] == (
        "fail",
        "the stream cqrs_queries does not exist: alerts and dashboards have nothing to read",
        "cqrs openobserve init",
    )


def test_a_stream_that_the_server_makes_itself_is_a_warning(configure: Configure) -> None:
    """It comes with the first span; the others are made by init."""
    lines = said(configure, ALL, tracing_enabled="true", stream_logs="app-logs")
    assert (lines["traces"][0], lines["app_logs"][0]) == ("warn", "fail")
    assert "cqrs openobserve verify" in lines["traces"][2]


@pytest.mark.parametrize(
    ("age", "status", "text"),
    [
        (2.0, "ok", "2 s old"),
        (3 * 3600.0, "ok", "3 h old"),
        (30 * 3600.0, "warn", "30 h old"),
        (None, "warn", "no record of the last 7 days"),
    ],
)
def test_freshness(configure: Configure, age: float | None, status: str, text: str) -> None:
    """A day without a record is a warning."""
    line = said(configure, ALL, {("logs", name): age for name in ALL})["cqrs_commands"]
    assert line[0] == status
    assert text in line[1]


def test_what_could_not_be_asked_is_a_warning(configure: Configure) -> None:
    """Neither a list nor a newest record is taken for nothing."""
    assert {line[0] for line in said(configure, None).values()} == {"warn"}
    assert "could not be read" in said(configure, ALL)["cqrs_events"][1]


def test_a_name_that_the_server_writes_otherwise_is_told(configure: Configure) -> None:
    """With the variable and the value that agree with the server."""
    line = said(configure, ("CQRS-Commands", *ALL[1:]))["cqrs_commands"]
    assert line[0] == "fail"
    assert "it has CQRS-Commands: it writes names otherwise" in line[1]
    assert line[2] == "export CQRS_STREAM_COMMANDS=CQRS-Commands"


@pytest.mark.parametrize(
    ("name", "names", "found"),
    [
        ("shop:commands", ("shop_commands", "shop_queries"), ("shop_commands",)),
        ("cqrs_commands", ("cqrs_commands",), ()),
        ("cqrs_commands", ("CQRSCOMMANDS", "cqrs.commands"), ("CQRSCOMMANDS", "cqrs.commands")),
        ("a_b", ("a\x1b_b",), ("a _b",)),
    ],
)
def test_namesakes_differ_in_case_and_punctuation_only(
    name: str, names: tuple[str, ...], found: tuple[str, ...]
) -> None:
    """The same name is none, and a foreign one is shown as plain text."""
    assert namesakes(name, names) == found


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d"), (-21_600, "-6 h")],
)
def test_ages_are_words(seconds: float, text: str) -> None:
    """Also of what comes from the future."""
    assert age_text(seconds) == text


@pytest.mark.parametrize(
    "answer",
    [
        Trouble("reset", "x"),
        Answer(401),
        Answer(200, body=b"<"),
        Answer(200, body=b'{"hits":[],"is_partial":true}'),
        Answer(200, body=b'{"hits":[],"function_error":["x"]}'),
        Answer(200, body=b'{"total":1}'),
    ],
    ids=str,
)
def test_half_an_answer_is_none(answer: Answer | Trouble) -> None:
    """A partial answer is an error, also when it is a 200."""
    assert names_of(answer) is None


def test_a_server_is_asked_for_the_newest_real_record(
    start: Callable[[str], Any], env_of: Callable[[Any], dict[str, str]], live_version: str
) -> None:
    """A probe is none."""
    live = start(live_version)
    for record in ("handled", "probe"):
        live.request("POST", f"/api/{{org}}/cqrs_{record}/_json", json=[{"record": record}])
    configuration = read(
        env_of(live)
        | {
            "CQRS_STREAM_COMMANDS": "cqrs-handled",
            "CQRS_STREAM_EVENTS": "cqrs-probe",
            "OPENOBSERVE_METRICS_ENABLED": "no",
        }
    ).unwrap()
    client = client_of(configuration, configuration.admin)
    facts = look(configuration, client, live.gate.clock.time_ns())
    client.close()

    assert set(facts.names["logs"] or ()) >= {"cqrs_handled", "cqrs_probe"}
    age = facts.newest_s["logs", "cqrs_handled"]
    assert age is not None
    assert -5 < age < 60
    assert facts.newest_s["logs", "cqrs_probe"] is None
    assert ("logs", "cqrs_queries") not in facts.newest_s
