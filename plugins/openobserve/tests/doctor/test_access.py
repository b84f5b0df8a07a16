"""What tokens may do: from answers to lines, and asked without storing anything."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cqrs_openobserve.answers import Answer, Trouble
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.access import AccessFacts, judge, look, organisations_of
from cqrs_openobserve.plugin import client_of

Configure = Callable[..., Configuration]
MAY = Answer(400, excerpt="no JSON")
NOT = Answer(401, excerpt="Unauthorized Access")
ORGANISATIONS = Answer(200, body=b'{"data":[{"identifier":"default"},{"identifier":"acme"}]}')
NONE = Answer(404, body=b"Organization not found")


def said(configure: Configure, facts: AccessFacts, **given: str) -> dict[str, tuple[str, str, str]]:
    return {line.name: (line.status, line.text, line.fix) for line in judge(configure(**given), facts)}


def test_a_token_that_may_do_everything_is_three_lines(configure: Configure) -> None:
    """Sending, searching and changing are told apart."""
    lines = said(configure, AccessFacts(ORGANISATIONS, MAY, MAY, Answer(422)))
    assert {name: line[0] for name, line in lines.items()} == {"ingest": "ok", "search": "ok", "admin": "ok"}


def test_an_ingestion_token_is_told_with_the_second_variable(configure: Configure) -> None:
    """It is right for the app and too little for init, verify and doctor."""
    lines = said(configure, AccessFacts(NOT, MAY, NOT, NOT))
    assert lines["ingest"][0] == "ok"
    assert lines["search"][0] == "warn"
    assert "ingestion token" in lines["search"][1]
    assert "OPENOBSERVE_ADMIN_TOKEN" in lines["search"][2]
    assert "admin" not in lines


def test_a_token_that_may_only_read_is_told(configure: Configure) -> None:
    """The app needs one that may send."""
    lines = said(configure, AccessFacts(ORGANISATIONS, Answer(403), MAY, Answer(403)))
    assert lines["ingest"][0] == "fail"
    assert "may read but not send" in lines["ingest"][1]
    assert lines["admin"][0] == "warn"


def test_a_token_that_is_wrong_is_told(configure: Configure) -> None:
    """Both lines fail."""
    lines = said(configure, AccessFacts(NOT, NOT, NOT, NOT))
    assert lines["ingest"][:2] == ("fail", "the server refuses OPENOBSERVE_TOKEN: 401 Unauthorized Access")
    assert lines["search"][0] == "fail"


def test_the_admin_token_is_named_where_it_is_the_one(configure: Configure) -> None:
    """So that nobody changes the wrong variable."""
    lines = said(configure, AccessFacts(NOT, MAY, NOT, NOT), admin_token="a:b")
    assert lines["search"][0] == "fail"
    assert lines["search"][2] == "export OPENOBSERVE_ADMIN_TOKEN=user:password"


@pytest.mark.parametrize("answer", [Answer(503), Trouble("timeout", "slow"), Answer(200)], ids=str)
def test_what_cannot_be_told_is_a_warning(configure: Configure, answer: Answer | Trouble) -> None:
    """An answer that is neither a yes nor a no decides nothing."""
    lines = said(configure, AccessFacts(ORGANISATIONS, answer, answer, answer))
    assert {line[0] for line in lines.values()} == {"warn"}
    assert all("cannot be told" in line[1] for line in lines.values())


@pytest.mark.parametrize(
    "facts",
    [AccessFacts(ORGANISATIONS, None, NONE, NONE), AccessFacts(NOT, NONE, NONE, NONE)],
    ids=["not listed", "not found"],
)
def test_an_organisation_that_is_not_there_is_one_line(configure: Configure, facts: AccessFacts) -> None:
    """Nothing else can be told then."""
    lines = said(configure, facts, organization="typo")
    assert list(lines) == ["organisation"]
    assert lines["organisation"][0] == "fail"
    assert "no organisation typo" in lines["organisation"][1]


def test_other_organisations_names_are_shown_bounded_and_escaped(configure: Configure) -> None:
    """They are somebody else's text."""
    many = [{"identifier": f"o{number}\x1b[2J{'x' * 500}"} for number in range(40)]
    facts = AccessFacts(Answer(200, body=json.dumps({"data": many}).encode()), None, MAY, MAY)
    (line,) = judge(configure(), facts)
    assert "\x1b" not in line.text + line.fix
    assert len(line.text) < 1_200


@pytest.mark.parametrize(
    "answer", [NOT, Trouble("reset", "x"), Answer(200, body=b"[]"), Answer(200, body=b"<")], ids=str
)
def test_what_is_no_list_is_none(answer: Answer | Trouble) -> None:
    """An empty list and no list are told apart."""
    assert organisations_of(answer) is None
    assert organisations_of(Answer(200, body=b'{"data":[]}')) == ()


def test_trying_a_token_stores_nothing(
    start: Callable[[str], Any], env_of: Callable[[Any], dict[str, str]], live_version: str
) -> None:
    """No stream, template or organisation is there afterwards that was not there before."""
    from cqrs_openobserve.configuration import read

    live = start(live_version)

    def state() -> list[Any]:
        paths = ("/api/{org}/streams?type=logs", "/api/{org}/alerts/templates", "/api/organizations")
        return [live.request("GET", path).json() for path in paths]

    before = state()
    for organization in (live.organization, "nowhere_yet"):
        configuration = read(env_of(live) | {"OPENOBSERVE_ORGANIZATION": organization}).unwrap()
        client = client_of(configuration, configuration.admin)
        facts = look(configuration, client, client)
        client.close()
        assert (facts.sending is None) == (organization == "nowhere_yet")
    assert state() == before
