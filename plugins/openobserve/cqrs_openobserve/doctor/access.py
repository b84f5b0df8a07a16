"""What each token may do: send, search, change things; and whether the organisation is there.

Nothing is stored: a token is tried with bodies that no server can take, which it says only to those who may send one.
"""

from typing import Final, final

import attrs

from cqrs_openobserve.answers import Answer, one_line
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.doctor.lines import Line
from cqrs_openobserve.doctor.server import Asked, Asking
from cqrs_openobserve.json_values import mapping, sequence

_NONSENSE: Final = b"{"
_MOST: Final = 100
_ADMIN: Final = "OPENOBSERVE_ADMIN_TOKEN"


@final
@attrs.frozen
class AccessFacts:
    """What a server lets the tokens do.

    Attributes:
        organisations: the organisations that the admin token sees.
        sending: to records that no server can take, with the token that records are sent with.
        searching: to a query that no server can take, with the admin token.
        changing: to a template that no server can take, with the admin token.
    """

    organisations: Asked
    sending: Asked | None
    searching: Asked
    changing: Asked


def look(configuration: Configuration, sender: Asking, admin: Asking) -> AccessFacts:
    """Ask a server what the tokens may do.

    Args:
        configuration: whose organisation and streams.
        sender: with the token that records are sent with.
        admin: with the admin token.
    """
    listed = admin.ask("GET", "/api/organizations")
    known = organisations_of(listed)
    # Whoever may do everything makes an organisation by sending to it, so one that is missing is not sent to.
    there = known is None or configuration.organization in known
    path = f"/{configuration.streams['command']}/_json"
    return AccessFacts(
        listed,
        sender.call("POST", path, None, _NONSENSE) if there else None,
        admin.call("POST", "/_search", {"type": "logs"}, _NONSENSE),
        admin.call("POST", "/alerts/templates", None, _NONSENSE),
    )


def organisations_of(answer: Asked) -> tuple[str, ...] | None:
    """Read the list of organisations.

    Args:
        answer: of the server.

    Returns:
        Their identifiers; None if it is no such list.
    """
    if not isinstance(answer, Answer) or answer.status != 200:
        return None
    body = mapping(answer.json())
    if "data" not in body:
        return None
    return tuple(str(mapping(each).get("identifier")) for each in sequence(body["data"]))


def judge(configuration: Configuration, facts: AccessFacts) -> list[Line]:
    """Tell what the tokens may do.

    Args:
        configuration: which tokens and organisation.
        facts: what the server answered.
    """
    missing = _missing_organisation(configuration, facts)
    if missing is not None:
        return [missing]
    sends, searches, changes = map(_allowed, (facts.sending, facts.searching, facts.changing))
    return [
        _sending(facts.sending, sends=sends, searches=searches),
        _reading(configuration, facts.searching, searches=searches, sends=sends),
        *_changing(configuration, facts.changing, changes=changes, searches=searches),
    ]


def _missing_organisation(configuration: Configuration, facts: AccessFacts) -> Line | None:
    name, known = configuration.organization, organisations_of(facts.organisations)
    if known is not None and name not in known:
        shown = ", ".join(one_line(each)[:_MOST] for each in known[:10]) or "none"
        text = f"the server has no organisation {name}; the token sees {shown}"
    elif any(_says_no_organisation(each) for each in (facts.sending, facts.searching)):
        text, known = f"the server has no organisation {name}", None
    else:
        return None
    wanted = known[0] if known else "IDENTIFIER, as it stands in the server's own URLs"
    fix = f"export OPENOBSERVE_ORGANIZATION={one_line(wanted)[:_MOST]}"
    return Line("credentials", "organisation", "fail", text, fix)


def _says_no_organisation(answer: Asked | None) -> bool:
    return isinstance(answer, Answer) and answer.status == 404 and b"rganization" in answer.body


def _allowed(answer: Asked | None) -> bool | None:
    # Somebody who may not send it hears so before anybody looks at what was sent.
    if not isinstance(answer, Answer):
        return None
    return {400: True, 415: True, 422: True, 401: False, 403: False}.get(answer.status)


def _said(answer: Asked | None) -> str:
    if isinstance(answer, Answer):
        return f"{answer.status}{f' {answer.excerpt}' if answer.excerpt else ''}"
    return "nothing" if answer is None else answer.text


def _sending(answer: Asked | None, *, sends: bool | None, searches: bool | None) -> Line:
    if sends:
        return Line("credentials", "ingest", "ok", "OPENOBSERVE_TOKEN may send records")
    if sends is None:
        return _unknown("ingest", "whether OPENOBSERVE_TOKEN may send records", answer)
    if searches:
        text = f"OPENOBSERVE_TOKEN may read but not send records: the server answered {_said(answer)}"
        fix = "export OPENOBSERVE_TOKEN=user:secret of a user who may ingest, or an ingestion token"
        return Line("credentials", "ingest", "fail", text, fix)
    text = f"the server refuses OPENOBSERVE_TOKEN: {_said(answer)}"
    return Line("credentials", "ingest", "fail", text, "export OPENOBSERVE_TOKEN=user:secret that is right")


def _reading(
    configuration: Configuration, answer: Asked, *, searches: bool | None, sends: bool | None
) -> Line:
    if searches:
        return Line("credentials", "search", "ok", f"{_variable(configuration)} may search")
    if searches is None:
        return _unknown("search", f"whether {_variable(configuration)} may search", answer)
    if configuration.settings.admin_token is None and sends:
        text = "OPENOBSERVE_TOKEN is an ingestion token: it may send records, but not read them"
        fix = f"export {_ADMIN}=user:password for init, verify and doctor; the app itself needs no more"
        return Line("credentials", "search", "warn", text, fix)
    text = f"{_variable(configuration)} may not search: the server answered {_said(answer)}"
    return Line("credentials", "search", "fail", text, f"export {_variable(configuration)}=user:password")


def _changing(
    configuration: Configuration, answer: Asked, *, changes: bool | None, searches: bool | None
) -> list[Line]:
    variable = _variable(configuration)
    if changes:
        return [Line("credentials", "admin", "ok", f"{variable} may create alerts and dashboards")]
    if changes is None:
        return [_unknown("admin", f"whether {variable} may create alerts", answer)]
    if not searches:
        return []  # said already
    text = f"{variable} may read but not create streams, alerts or dashboards: {_said(answer)}"
    fix = f"export {_ADMIN}=user:password of an administrator, for init"
    return [Line("credentials", "admin", "warn", text, fix)]


def _unknown(name: str, what: str, answer: Asked | None) -> Line:
    text = f"it cannot be told {what}: the server answered {_said(answer)}"
    return Line("credentials", name, "warn", text, "look into the server's own log, and run it again")


def _variable(configuration: Configuration) -> str:
    return "OPENOBSERVE_TOKEN" if configuration.settings.admin_token is None else _ADMIN
