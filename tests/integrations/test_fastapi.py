"""The web application of the how-to, served by a real server in a process of its own."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

PAGE = Path(__file__).parent.parent.parent / "docs/how-to/use-in-fastapi.md"
PROGRAM = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
SYNC = """
import anyio.from_thread

@web.post("/sync")
def post_in_a_thread(order: PlaceOrder) -> JSONResponse:
    return respond(anyio.from_thread.run(bus.commands.execute, order))
"""
PLUGIN = """
from cqrs.plugins import Plugin

class Noting(Plugin):
    name = "noting"
    @asynccontextmanager
    async def lifespan(self):
        print("plugin started", flush=True)
        yield
        print("plugin stopped", flush=True)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The address of the application that the page shows, with a plugin that notes its start and stop."""
    assert PROGRAM is not None
    source = (
        PROGRAM[1]
        .replace("bus = CqrsModule", f"{PLUGIN}\nbus = CqrsModule")
        .replace("plugins=()", "plugins=[Noting()]")
    )
    assert "[Noting()]" in source
    (tmp_path / "shop.py").write_text(source + SYNC)
    command = [sys.executable, "-m", "uvicorn", "shop:web", "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said: list[str] = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield found[0], process
                break
        else:
            pytest.fail("".join(said))
        process.kill()


def test_the_page_is_a_web_application(server: tuple[str, "subprocess.Popen[str]"]) -> None:
    """Answers and errors come back with their statuses; plugins start and stop with the server."""
    address, process = server
    with httpx.Client(base_url=address) as client:
        answers = [client.post("/orders", json={"sku": sku}) for sku in ("apple", "pear", "anvil")]
        in_a_thread = client.post("/sync", json={"sku": "apple"})
        malformed = client.post("/orders", json={"quantity": "many"})
        health = client.get("/health")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=15)

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, 4711), (409, {"error": "OutOfStock"}), (500, {"error": "HandlerCrashed"}),
    ]  # fmt: skip
    assert (in_a_thread.status_code, in_a_thread.json()) == (200, 4711)
    assert (malformed.status_code, health.json()) == (422, {"noting": "running"})
    assert [line for line in out.splitlines() if line.startswith("plugin")] == [
        "plugin started",
        "plugin stopped",
    ]
