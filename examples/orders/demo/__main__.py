"""Start a local server, run the order service against it, and read back from SQL what the server stored.

Exit status 0 only if what was read back equals what was dispatched, record for record; with --chaos although the
server is killed and started anew twice meanwhile.
"""

import argparse
import logging
import math
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import anyio
from cqrs_openobserve import Signal, SignalLedger, Telemetry

from cqrs import CqrsApp
from cqrs.caching import CacheStats, QueryCache
from examples.orders.app import build
from examples.orders.demo.cache import cache_report, counts, read_cache
from examples.orders.demo.chaos import disturb
from examples.orders.demo.closing import close
from examples.orders.demo.paced import send_load
from examples.orders.demo.readback import Search, SearchError
from examples.orders.demo.report import comparison, differences, error_rate, figures_table, repeats
from examples.orders.demo.server import Server, ServerError, local_server, unsettled
from examples.orders.demo.signals import balanced, dispatched, measured, read_spans, signals_report
from examples.orders.load import ARTICLES
from examples.orders.store import SqliteOrders
from examples.orders.tally import Seen, Tally

FLUSH_SECONDS: Final = 20.0
SIGNALS: Final[tuple[Signal, ...]] = ("logs", "metrics", "traces")


def main() -> int:
    """Run the demo."""
    arguments = _arguments()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("cqrs").setLevel(logging.CRITICAL)  # the crashes of the load are there on purpose
    with tempfile.TemporaryDirectory(prefix="returns-cqrs-demo-") as folder:
        try:
            _say("starting the local server (cqrs local up) …")
            with local_server(Path(folder, "server")) as server:
                return _run(server, Path(folder), arguments)
        except (ServerError, SearchError) as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("demo: interrupted; nothing was compared.", file=sys.stderr)
            return 130
        except BrokenPipeError:
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # or the interpreter says so once more
            print("demo: nobody reads what it prints any more; nothing was compared.", file=sys.stderr)
            return 1


def _run(server: Server, folder: Path, arguments: argparse.Namespace) -> int:
    # What cannot be sent yet is kept beside the demo's other files, and goes away with them.
    env = {"OPENOBSERVE_SPOOL_DIR": str(folder / "spool"), **unsettled(os.environ), **server.variables}
    _say(f"{server.url} is up; creating streams and dashboards (cqrs openobserve init --quiet) …")
    init = [sys.executable, "-m", "cqrs", "openobserve", "init", "--quiet"]
    initialised = subprocess.run(init, env=env, check=False, process_group=0)  # Ctrl-C is for the demo
    if initialised.returncode:
        return 1
    tally = Tally()
    ledgers, cached = anyio.run(_load, server, folder, env, tally, arguments)
    equal = _tell(Search(server.variables), tally.seen, ledgers, cached)
    closed = close(env)
    _where_to_look()
    if arguments.keep:
        _keep(server)
    return 0 if equal and closed else 1


async def _load(
    server: Server, folder: Path, env: Mapping[str, str], tally: Tally, arguments: argparse.Namespace
) -> tuple[Mapping[str, SignalLedger], CacheStats]:
    store = SqliteOrders(str(folder / "orders.sqlite"))
    try:
        async with build(store, instruments=(tally,), env=env) as app:
            await store.restock(ARTICLES)
            _say(
                f"sending {arguments.rate:g} messages/s for {arguments.seconds:g} s (seed {arguments.seed}) …"
            )
            sent = await _send(server, app, arguments)
            _say(f"{_line_start()}{sent} commands and queries sent; waiting for their records to arrive …")
            telemetry: Telemetry = app.container.resolve(Telemetry)
            await telemetry.aflush(FLUSH_SECONDS)
            cached = app.container.resolve(QueryCache).stats()
        return {signal: telemetry.ledger(signal) for signal in SIGNALS}, cached
    finally:
        store.close()


async def _send(server: Server, app: CqrsApp, arguments: argparse.Namespace) -> int:
    disturbed = anyio.Event()

    async def chaos() -> None:
        if arguments.chaos:
            await disturb(server, arguments.seconds, _say)
        disturbed.set()

    def goes_on(elapsed: float) -> bool:
        return elapsed < arguments.seconds or not disturbed.is_set()

    sent = 0
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(chaos)
            sent = await send_load(app, arguments.seed, arguments.rate, goes_on, _progress)
    except* ServerError as errors:
        raise errors.exceptions[0] from None
    return sent


def _tell(
    search: Search, happened: Counter[Seen], ledgers: Mapping[str, SignalLedger], cached: CacheStats
) -> bool:
    ledger = ledgers["logs"]
    figures = search.by_type()
    print("\nWhat the server tells, by SQL over HTTP\n")
    print("\n".join(figures_table(figures)))
    rates = (f"{kind} {error_rate(figures, kind):.2f} %" for kind in ("command", "query", "event"))
    print(f"\nerror rate: {', '.join(rates)}")
    looked_up = read_cache(search) if cached.lookups else []
    print("\n".join(cache_report(looked_up, cached)))
    spans, counted = read_spans(search), measured(search)
    print("\n".join(signals_report(spans, counted, dispatched(happened), ledgers)))
    stored = search.what_happened()
    print("\nWhat was dispatched, beside what was read back, record for record\n")
    print("\n".join(comparison(happened, stored.seen)))
    print()
    print(repeats("records", stored.repeated, ledger))
    print(repeats("spans", spans.repeated, ledgers["traces"]))
    equal = happened == stored.seen and stored.repeated <= ledger.ambiguous
    equal = equal and counts(looked_up) == dict(cached.lookups)
    equal = equal and spans.repeated <= ledgers["traces"].ambiguous
    equal = equal and ledger.accepted == ledger.delivered == happened.total()
    equal = equal and spans.agree and counted == dispatched(happened) and balanced(ledgers.values())
    for line in differences(happened, stored.seen):
        print(line)
    total = f"dispatched {happened.total()} = accepted {ledger.accepted} = delivered {ledger.delivered}"
    print(
        f"\n{total} = read back {stored.seen.total()}"
        if equal
        else f"\nNOT EQUAL: {total}, read back {stored.seen.total()}"
    )
    return equal


def _where_to_look() -> None:
    print("\nWhere to look further:")
    print(
        f"  {_command('cqrs')} handlers examples.orders.app:app    who handles what, through which pipeline"
    )
    print("  ./dev demo --keep                        leave the server running and look with SQL of your own")


def _command(name: str) -> str:
    # Installed where this Python is, which need not be on the PATH.
    path = Path(sys.executable).with_name(name)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _keep(server: Server) -> None:
    print("\nThe server keeps running until Ctrl-C. In another shell:\n")
    print("\n".join(f"  export {name}={value}" for name, value in server.variables.items()))
    print(f"\nIts page, with dashboards, alerts, records and spans:\n\n  {server.page}", flush=True)
    try:
        server.wait()
    except KeyboardInterrupt:
        print("\nstopping.")


def _say(text: str) -> None:
    print(text, flush=True)


def _line_start() -> str:
    return "\r" if sys.stdout.isatty() else ""


def _progress(sent: int, elapsed: float) -> None:
    if sys.stdout.isatty():
        print(f"\r  {elapsed:4.0f} s  {sent} messages ", end="", flush=True)
    elif int(elapsed) % 5 == 0:
        print(f"  {elapsed:.0f} s  {sent} messages", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--seconds", type=_positive, default=10.0, help="how long the load lasts (10)")
    parser.add_argument("--rate", type=_positive, default=200.0, help="commands and queries per second (200)")
    parser.add_argument("--seed", type=int, default=1, help="decides which messages are sent (1)")
    parser.add_argument(
        "--chaos", action="store_true", help="kill the server twice during the load and start it anew"
    )
    parser.add_argument("--keep", action="store_true", help="leave the server running until Ctrl-C")
    return parser.parse_args()


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number between 0 and 1000000")
    return value


if __name__ == "__main__":
    sys.exit(main())
