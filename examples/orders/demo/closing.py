"""The end of the demo: alerts with a channel of its own, a proof that everything arrives, and what the alerts say."""

import json
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Final, cast

EVALUATED_SECONDS: Final = 20.0


class Sink(HTTPServer):
    """Takes the messages of alerts, as a team's chat would.

    Attributes:
        messages: what came, as text by rule.
    """

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Taking)
        self.messages: dict[str, str] = {}

    @property
    def channel(self) -> str:
        """What CQRS_ALERT_CHANNEL is set to."""
        return f"webhook:http://127.0.0.1:{self.server_port}/"


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        cast("Sink", self.server).messages[content["rule"]] = content["text"]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name of it
        del format, args


@contextmanager
def sink() -> Generator[Sink]:
    """Take messages for a while."""
    with Sink() as taking:
        thread = Thread(target=taking.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield taking
        finally:
            taking.shutdown()
            thread.join()


def close(env: Mapping[str, str]) -> bool:
    """Run init with a channel, verify, and wait for what the alerts say.

    Args:
        env: of the commands; it names the server.

    Returns:
        Whether all of it went well.
    """
    with sink() as taking:
        env = {**env, "CQRS_ALERT_CHANNEL": taking.channel}
        _heading("Alerts, now that there are records (cqrs openobserve init)")
        made = _run(env, "init")
        _heading("Every signal read back (cqrs openobserve verify)")
        proven = _run(env, "verify")
        _heading("What the alerts say (cqrs openobserve alerts list)")
        states = _evaluated(env)
        print(states.stdout, end="", flush=True)
        for rule, text in sorted(taking.messages.items()):
            print(f"  received   {rule}  {text}")
    return made and proven and not states.returncode


def _evaluated(env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    until = time.monotonic() + EVALUATED_SECONDS
    while True:
        done = subprocess.run(
            _command("alerts", "list"), env=env, capture_output=True, text=True, check=False
        )
        if "last evaluated never" not in done.stdout or time.monotonic() > until:
            return done
        time.sleep(0.5)


def _run(env: Mapping[str, str], *arguments: str) -> bool:
    return subprocess.run(_command(*arguments), env=env, check=False).returncode == 0


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cqrs", "openobserve", *arguments]


def _heading(text: str) -> None:
    print(f"\n{text}\n", flush=True)
