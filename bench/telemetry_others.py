"""Other ways to send spans to a server, each in an environment of its own: for ``bench/telemetry.py``.

An environment is made once, in ``.venv-bench-NAME``, with pip as it is configured; where that fails, it is said and the
bench goes on. The programs do what the documentation of each says, and no more.
"""

import json
import os
import subprocess
import sys
import textwrap
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).parent.parent

_BODY: Final = textwrap.dedent(
    """
    def spans(count):
        for number in range(count):
            once(number)

    if sys.argv[1] == "exit":
        spans(2000)
        time.sleep(0.2)
        print(time.time(), flush=True)
    else:
        count = int(sys.argv[2])
        spans(100)
        flush()
        wall, used = time.perf_counter(), time.process_time()
        spans(count)
        flush()
        seconds, used = time.perf_counter() - wall, time.process_time() - used
        print(json.dumps([count / seconds, used / count]), flush=True)
    """
)
_LOGFIRE: Final = textwrap.dedent(
    """
    import json, logging, sys, time
    import logfire
    logging.disable(logging.CRITICAL)
    logfire.configure(send_to_logfire=False, console=False, inspect_arguments=False)

    def once(number):
        with logfire.span("command Place", **{"cqrs.message": "Place", "cqrs.outcome": "success"}):
            pass

    def flush():
        logfire.force_flush(120_000)
    """
)
_VENDOR: Final = textwrap.dedent(
    """
    import json, logging, sys, time
    from opentelemetry import trace
    from openobserve import openobserve_flush, openobserve_init
    logging.disable(logging.CRITICAL)
    openobserve_init(traces=True)
    tracer = trace.get_tracer("bench")

    def once(number):
        with tracer.start_as_current_span(
            "command Place", attributes={"cqrs.message": "Place", "cqrs.outcome": "success"}
        ):
            pass

    def flush():
        openobserve_flush(120_000)
    """
)


@attrs.frozen
class Other:
    """One of them.

    Attributes:
        name: what it is called.
        needs: what pip installs.
        program: what it runs.
        variables: how it finds its server.
    """

    name: str
    needs: tuple[str, ...]
    program: str
    variables: Callable[[str], Mapping[str, str]]

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return ROOT / f".venv-bench-{self.name}" / "bin" / "python"

    def installed(self) -> str:
        """Make its environment if it is not there; says why that is impossible, or nothing."""
        done = self.python.parent.parent / "installed"
        if done.exists() and done.read_text().split() == list(self.needs):
            return ""
        venv.create(self.python.parent.parent, clear=True, with_pip=True)
        command = [str(self.python), "-m", "pip", "install", "--quiet", *self.needs]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            return made.stderr.strip().splitlines()[-1] if made.stderr.strip() else "pip failed"
        done.write_text("\n".join(self.needs))
        return ""

    def told(self, url: str, *arguments: str, batch: int = 512) -> str:
        """What its program prints."""
        return self._run(url, arguments, batch).stdout

    def throughput(self, url: str, records: int, batch: int) -> tuple[float, float]:
        """Records per second and processor seconds per record."""
        rate, used = json.loads(self.told(url, "throughput", str(records), batch=batch))
        return rate, used

    def _run(self, url: str, arguments: tuple[str, ...], batch: int) -> "subprocess.CompletedProcess[str]":
        queues = {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": str(batch)}
        if arguments[0] != "exit":  # nothing is to be dropped here; elsewhere its own defaults hold
            queues["OTEL_BSP_MAX_QUEUE_SIZE"] = str(1 << 20)
        env = {**os.environ, **queues, **self.variables(url), "PYTHONWARNINGS": "ignore"}
        command = [str(self.python), "-c", self.program + _BODY, *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=True)


def _otlp(url: str) -> Mapping[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{url}/v1/traces",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }


def _vendor(url: str) -> Mapping[str, str]:
    return {
        "OPENOBSERVE_URL": url,
        "OPENOBSERVE_ORG": "default",
        "OPENOBSERVE_AUTH_TOKEN": "Basic dTpw",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }


OTHERS: Final = (
    Other("logfire", ("logfire==5.4.0",), _LOGFIRE, _otlp),
    Other("vendor", ("openobserve-telemetry-sdk==0.1.1",), _VENDOR, _vendor),
)


def missing(other: Other) -> bool:
    """Install one; say so if that is impossible."""
    reason = other.installed()
    if reason:
        print(f"  {other.name}: does not install: {reason}", file=sys.stderr)
    return bool(reason)
