"""Headless Chromium over its debugging pipe: no driver, no library."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio",
    "--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--force-color-profile=srgb", "--remote-debugging-pipe",
)  # fmt: skip

# The browser reads its orders from descriptor 3 and answers on 4.
EXEC = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for number, pipe in zip((3, 4), pipes):
    os.dup2(pipe, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page:
    """One tab."""

    def __init__(self, reader: asyncio.StreamReader, out: int) -> None:
        self._reader, self._out = reader, out
        self._numbers = itertools.count(1)
        self._session = ""
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.errors: list[str] = []
        self.foreign: list[str] = []

    async def listen(self) -> None:
        """Take what the browser says until it ends."""
        while message := await self._next():
            if "id" in message:
                self._waiting.pop(message["id"]).set_result(message)
            else:
                self._event(message["method"], message.get("params", {}))

    async def _next(self) -> dict[str, Any] | None:
        try:
            text = await self._reader.readuntil(b"\0")
        except asyncio.IncompleteReadError:
            return None
        message: dict[str, Any] = json.loads(text[:-1])
        return message

    def _event(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if not url.startswith(("http://127.0.0.1:", "data:")):
                self.foreign.append(url)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One call of the debugging protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._waiting[number] = asyncio.get_running_loop().create_future()
        os.write(self._out, json.dumps(message).encode() + b"\0")
        async with asyncio.timeout(60):
            answer = await self._waiting[number]
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def attach(self) -> None:
        """Open the tab."""
        target = await self.call("Target.createTarget", url="about:blank")
        session = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = session["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def size(self, width: int, height: int) -> None:
        """The size of the window, in CSS pixels."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def go(self, url: str) -> None:
        """Open an address."""
        await self.call("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """The value of an expression."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def until(self, script: str, seconds: float = 30) -> None:
        """Wait for an expression to be true."""
        async with asyncio.timeout(seconds):
            while not await self.run(script):  # noqa: ASYNC110 - the page tells nobody
                await asyncio.sleep(0.05)

    async def shot(self, path: Path, *, whole: bool = False) -> None:
        """A picture of the window, or of the whole page."""
        answer = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))


def find() -> str:
    """Where the browser is.

    Raises:
        SystemExit: there is none.
    """
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise SystemExit(f"none of {', '.join(NAMES)} is installed, for example: apt-get install chromium")


@asynccontextmanager
async def browser() -> AsyncIterator[Page]:
    """A browser with one tab, gone at the end."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [find(), *FLAGS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(  # noqa: ASYNC220 - starts at once
            [sys.executable, "-c", EXEC, str(to_read), str(from_write), *command],
            pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(from_write)
        reader = asyncio.StreamReader(limit=2**26)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(from_read, "rb")
        )
        page = Page(reader, to_write)
        listening = asyncio.create_task(page.listen())
        try:
            await page.attach()
            yield page
        finally:
            with contextlib.suppress(BrokenPipeError):
                os.close(to_write)
            process.terminate()
            await asyncio.to_thread(process.wait)
            await listening
            transport.close()
