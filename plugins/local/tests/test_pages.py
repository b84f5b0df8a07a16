"""The page's files and its own call; what it looks like is checked in a browser by `just shots`."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import cqrs_local
import httpx
import pytest
from cqrs_local.pages import _contents

FOLDER = Path(cqrs_local.__file__).parent / "page"


async def test_the_page_and_all_that_it_loads_are_there_without_credentials(
    anonymous: httpx.AsyncClient,
) -> None:
    """It asks for them itself; every file that one of its files names can be had."""
    page = await anonymous.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    wanted = re.findall(r'(?:href|src)="(page/[^"]+)"', page.text)
    for name, content in _contents().items():
        folder = "page/vendor/" if name.startswith("vendor/") else "page/"
        if not name.startswith("vendor/"):
            wanted += [folder + found for found in re.findall(r'from "\./([^"]+)"', content.decode())]
    for path in wanted:
        answer = await anonymous.get(f"/{path}")
        assert (answer.status_code, len(answer.content) > 100) == (200, True), path
    assert len(set(wanted)) == 8


@pytest.mark.parametrize(
    "path",
    [
        "/page/nosuch.js",
        "/page/..%2fasgi.py",
        "/page/vendor/..%2f..%2fasgi.py",
        "/page/vendor",
        "/page/LICENSE",
    ],
)
async def test_nothing_else_can_be_had(anonymous: httpx.AsyncClient, path: str) -> None:
    """A name that is not one of the page's files is no file."""
    assert (await anonymous.get(path)).status_code == 404


async def test_the_page_may_load_nothing_from_elsewhere(anonymous: httpx.AsyncClient) -> None:
    """Its policy says so, and none of its own files names another place."""
    policy = (await anonymous.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    own = {name: content.decode() for name, content in _contents().items() if not name.startswith("vendor/")}
    assert [name for name, content in own.items() if re.search(r"https?://", content)] == []
    assert [name for name, content in own.items() if "innerHTML" in content] == []


def test_the_chart_library_is_the_one_that_was_built() -> None:
    """Its checksum is kept beside it, its licence and notice are shipped; `just charts --check` builds it again."""
    vendor = FOLDER / "vendor"
    known: dict[str, Any] = json.loads((vendor / "echarts.json").read_text())

    assert sha256((vendor / "echarts.js").read_bytes()).hexdigest() == known["sha256"]
    assert known["version"] in (vendor / "echarts.js").read_text()[:100]
    assert "Apache License" in (vendor / "LICENSE").read_text()
    assert "Apache ECharts" in (vendor / "NOTICE").read_text()


async def test_alerts_are_told_with_their_state_and_history(api: Any) -> None:
    """Firing, quiet, off, without an answer, not evaluated yet."""
    backend = api.server._backend
    rule: dict[str, object] = {
        "name": "r",
        "description": "d",
        "query_condition": {"sql": "SELECT 1"},
        "enabled": True,
    }
    states: dict[str, dict[str, object] | None] = {
        "firing": {"firing": True, "error": "not delivered", "value": {"n": 3}, "history": [{"at": 1}]},
        "quiet": {"firing": False, "error": ""},
        "error": {"firing": False, "error": "20008"},
        "waiting": None,
    }
    for key, state in states.items():
        backend.documents.put("default", "alerts", key, {"rule": rule, "folder": "default"})
        if state is not None:
            backend.documents.put("default", "alert_states", key, state)
    backend.documents.put(
        "default", "alerts", "disabled", {"rule": {**rule, "enabled": False}, "folder": "default"}
    )
    listed = (await api.http.get("/api/default/_local/alerts")).json()["list"]

    assert {entry["id"]: entry["state"] for entry in listed} == {key: key for key in (*states, "disabled")}
    assert (listed[0]["value"], listed[0]["history"]) == ({"n": 3}, [{"at": 1}])
