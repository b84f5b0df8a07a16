"""Reference §1: who may ask, and what the others are told."""

from base64 import b64encode, urlsafe_b64encode
from typing import Any

import httpx
import pytest

CHALLENGE = 'Bearer realm="openobserve"'


def asked(server: Any, header: str | None, path: str = "streams?type=logs") -> httpx.Response:
    headers = {} if header is None else {"authorization": header}
    with httpx.Client(base_url=server.http.base_url, trust_env=False) as http:
        return http.get(f"/api/{server.org}/{path}", headers=headers)


def test_full_credentials_reach_everything(server: Any) -> None:
    """Basic with user and password."""
    assert server.api("GET", "streams?type=logs&limit=1").status_code == 200


def test_bearer_is_not_supported(server: Any) -> None:
    """In the open-source build: 403, newer 401 with a challenge."""
    answer = asked(server, "Bearer abc")
    assert (answer.status_code, answer.text) == (403 if server.old else 401, "Not Supported")
    assert server.old or answer.headers["www-authenticate"] == CHALLENGE


def test_a_missing_header_is_told_in_text_or_json(server: Any) -> None:
    """Text on old versions, JSON on new ones."""
    answer = asked(server, None)
    said = answer.text if server.old else answer.json()
    wanted = "Unauthorized Access" if server.old else {"code": 401, "message": "Unauthorized Access"}
    assert (answer.status_code, said) == (401, wanted)


def test_a_scheme_in_lower_case_is_challenged(server: Any) -> None:
    """On every version; the body is empty on old ones."""
    answer = asked(server, "basic eDp5")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, CHALLENGE)
    assert answer.text == ("" if server.old else "Unauthorized Access")


def test_a_secret_is_trimmed(server: Any) -> None:
    """A line break that a shell left at its end does no harm."""
    padded = b64encode(f"{server.token}\n".encode()).decode()
    assert asked(server, f"Basic {padded}").status_code == 200


def test_an_unknown_organisation_is_a_404(server: Any) -> None:
    """In text."""
    answer = server.http.get("/api/contract_nosuch/streams?type=logs")
    assert (answer.status_code, answer.text) == (404, "Organization not found")


@pytest.mark.parametrize(
    "header", [None, "Basic !!!", "basic eDp5", "raw", "Basic " + b64encode(b"x:wrong").decode()]
)
def test_anything_else_is_401(server: Any, header: str | None) -> None:
    """Missing, no base64, a scheme in lower case, a wrong password."""
    assert asked(server, header).status_code == 401


def test_base64_is_the_standard_alphabet(server: Any) -> None:
    """One for URLs is refused, whatever it says."""
    wrong = urlsafe_b64encode("ÿÿÿ:ÿþ?>".encode()).decode()
    assert "-" in wrong or "_" in wrong
    assert asked(server, f"Basic {wrong}").status_code == 401


def test_base64_is_padded(server: Any) -> None:
    """Right credentials without their `=` are refused."""
    user, _, secret = server.token.partition(":")
    longer = next(
        f"{user}:{secret}{' ' * more}" for more in range(3) if len(f"{user}:{secret}{' ' * more}") % 3
    )
    whole = b64encode(longer.encode()).decode()
    assert asked(server, f"Basic {whole}").status_code == 200
    assert asked(server, f"Basic {whole.rstrip('=')}").status_code == 401


def test_an_ingestion_token_ingests_and_nothing_else(server: Any, stream: str) -> None:
    """Search, streams, dashboards and alerts answer 401; organisations only on new versions."""
    told = server.api("GET", "passcode").json()["data"]
    header = "Basic " + b64encode(f"{told['user']}:{told['passcode']}".encode()).decode()
    with httpx.Client(
        base_url=server.http.base_url, headers={"authorization": header}, trust_env=False
    ) as http:
        assert http.post(f"/api/{server.org}/{stream}/_json", json=[{"a": 1}]).status_code == 200
        assert http.get(f"/api/{server.org}/streams").status_code == 401
        assert http.get(f"/api/{server.org}/dashboards").status_code == 401
        assert http.get(f"/api/v2/{server.org}/alerts").status_code == 401
        assert http.post(f"/api/{server.org}/_search", json={}).status_code == 401
        assert http.get("/api/organizations").status_code == (200 if server.old else 401)


def test_health_and_version_need_none(server: Any) -> None:
    """Reference §2."""
    with httpx.Client(base_url=server.http.base_url, trust_env=False) as http:
        assert http.get("/healthz").json() == {"status": "ok"}
        assert http.head("/healthz").status_code == 200
        assert http.get("/config").json()["timestamp_column"] == "_timestamp"
