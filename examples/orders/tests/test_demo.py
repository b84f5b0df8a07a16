"""The demo: what it prints, and the whole of it as a process."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import attrs
import pytest
from cqrs_openobserve import SignalLedger

from examples.orders.demo.readback import TypeFigures
from examples.orders.demo.report import comparison, differences, error_rate, figures_table, repeats
from examples.orders.demo.server import ServerError, local_server
from examples.orders.demo.signals import Spans, balanced, dispatched, signals_report
from examples.orders.tally import Seen

ROOT = Path(__file__).parents[3]
ONE = Seen("command", "handled", "PlaceOrder", "", "success", "aa")
OTHER = Seen("command", "handled", "PlaceOrder", "", "error", "bb")


@pytest.mark.timeout(150)  # seven processes start; on a busy machine that alone may take what a test may
def test_the_demo_reads_back_what_it_dispatched() -> None:
    """As a process, with a server of its own, whatever the shell is set to: exit 0, and every record read back once."""
    shell = {
        "CQRS_PLUGINS": "none",
        "CQRS_LOG_LEVEL": "ERROR",
        "OPENOBSERVE_ADMIN_TOKEN": "some:body",
        "OPENOBSERVE_URL": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    command = [
        sys.executable,
        "-m",
        "examples.orders.demo",
        "--seconds",
        "0.5",
        "--rate",
        "160",
        "--seed",
        "3",
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | shell,
        capture_output=True,
        text=True,
        timeout=140,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("created    alert") == 6
    assert len(re.findall("proven .* cqrs_(?:commands|queries|events)", done.stdout)) >= 3
    assert "fired      cqrs_event_dead_letters" in done.stdout
    assert re.search(r"received   cqrs_event_dead_letters  \d+ new dead letters", done.stdout)
    total = re.search(r"dispatched (\d+) = accepted \1 = delivered \1 = read back \1\n", done.stdout)
    assert total is not None
    assert int(total[1]) > 100
    assert "NO" not in done.stdout
    assert "ids in records and spans agree" in done.stdout
    assert re.search(r"metrics     (\d+) dispatches counted, \1 seen; agree", done.stdout)
    assert "\r" not in done.stdout


@pytest.mark.timeout(180)  # five processes start, one after the other
def test_a_server_that_is_killed_twice_costs_no_record() -> None:
    """With --chaos the server dies in the middle of the load, comes back, and again: still record for record."""
    command = [sys.executable, "-m", "examples.orders.demo", "--chaos", "--seconds", "1", "--rate", "80"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert (
        len(re.findall(r"the server is killed \(\d of 2\)\n(?:.*messages\n)*  the server is back", told)) == 2
    ), told
    assert re.search(r"dispatched (\d+) = accepted \1 = delivered \1 = read back \1\n", told), told
    assert "ids in records and spans agree" in told
    assert len(re.findall(r"sent again without knowing, \d+ of them stored twice: within", told)) == 2, told
    for kind in ("logs", "metrics", "traces"):
        assert re.search(rf"ledger      {kind}: accepted (\d+), delivered \1, waiting 0, dropped 0\n", told)


@pytest.mark.timeout(150)
def test_ctrl_c_and_a_closed_pipe_end_it_without_a_traceback() -> None:
    """Kept running it ends by Ctrl-C with exit 0 and takes its server along; without a reader it says so."""
    command = [sys.executable, "-u", "-m", "examples.orders.demo", "--seconds", "0.2", "--rate", "50"]
    with subprocess.Popen(
        [*command, "--keep"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as kept:
        assert kept.stdout is not None
        page = next(line.strip() for line in kept.stdout if "/#key=" in line)
        os.killpg(kept.pid, signal.SIGINT)
        rest, errors = kept.communicate(timeout=60)
    assert (kept.returncode, errors) == (0, ""), errors
    assert rest.endswith("stopping.\n")
    with pytest.raises(URLError):
        urlopen(page.split("/#")[0], timeout=5)

    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as cut:
        assert cut.stdout is not None
        cut.stdout.close()
        assert cut.stderr is not None
        said = cut.stderr.read()
    assert cut.returncode == 1
    assert said == "demo: nobody reads what it prints any more; nothing was compared.\n"


@pytest.mark.parametrize(
    "arguments", [["--rate", "0"], ["--seconds", "nan"], ["--seconds", "ten"], ["--speed", "1"]]
)
def test_a_wrong_argument_is_named(arguments: list[str]) -> None:
    """A wrong argument ends the demo before anything starts, names the option, and shows no traceback."""
    command = [sys.executable, "-m", "examples.orders.demo", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A data directory that is a file ends in the server's own words."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerError, match="file"), local_server(tmp_path / "file"):
        pass


def test_a_missing_record_is_named() -> None:
    """A record that was dispatched and not stored makes its type unequal and is named with its identity."""
    happened, stored = Counter([ONE, OTHER]), Counter([ONE])
    assert [line.split()[-1] for line in comparison(happened, stored)][1:] == ["NO"]
    assert list(differences(happened, stored)) == ["missing: command PlaceOrder  error message_id=bb"]


def test_a_record_stored_twice_is_named() -> None:
    """A duplicate is a difference, though nothing is missing."""
    happened, stored = Counter([ONE]), Counter([ONE, ONE])
    assert [line.split()[-1] for line in comparison(happened, stored)][1:] == ["NO"]
    assert [line.split(":")[0] for line in differences(happened, stored)] == ["not dispatched or twice"]


def test_a_record_stored_twice_is_within_the_books_or_not() -> None:
    """What was sent again, because nobody answered, may be there twice; nothing else may."""
    books = SignalLedger("logs", 9, 9, 0, {}, ambiguous=2)
    assert (
        repeats("records", 2, books)
        == "2 records sent again without knowing, 2 of them stored twice: within what the books say"
    )
    assert repeats("records", 3, books).endswith("MORE THAN THE BOOKS SAY")


def test_equal_counters_are_equal() -> None:
    """What was read back as dispatched is said to be equal."""
    assert [line.split()[-1] for line in comparison(Counter([ONE]), Counter([ONE]))][1:] == ["yes"]
    assert not list(differences(Counter([ONE]), Counter([ONE])))


def test_a_rejection_is_no_error() -> None:
    """The error rate counts errors among handled messages of its kind alone."""
    figures = [
        TypeFigures("command", "handled", "A", 10, 6, 2, 2, 1.0, 2.0, 3.0),
        TypeFigures("command", "published", "A", 10, 0, 0, 10, 1.0, 2.0, 3.0),
        TypeFigures("query", "handled", "B", 1, 0, 0, 1, 1.0, 2.0, 3.0),
    ]
    assert error_rate(figures, "command") == 20.0
    assert error_rate(figures, "event") == 0.0
    assert "A (published)" in "\n".join(figures_table(figures))


def test_spans_and_metrics_that_do_not_agree_are_said() -> None:
    """A span without its record, a record without its span, a metric that counted too few, books that do not close."""
    one, two = ("t1", "s1"), ("t2", "s2")
    good = Spans(Counter([one]), Counter([two]), Counter([one]), Counter([two]))
    books = {
        "logs": SignalLedger("logs", 2, 2, 0, {}),
        "traces": SignalLedger("traces", 2, 1, 0, {"expired": 1}),
    }
    counted = Counter({"command PlaceOrder": 2})

    assert good.agree
    assert not attrs.evolve(good, stored=Counter([one, one])).agree
    assert not attrs.evolve(good, stored_late=Counter[tuple[str, str]]()).agree
    told = list(signals_report(good, counted, counted, books))
    assert told[0] == "spans       2 read back = 1 sampled + 1 late; ids in records and spans agree"
    assert told[1] == "metrics     2 dispatches counted, 2 seen; agree"
    assert told[2].startswith("ledger      logs: accepted 2, delivered 2")
    wrong = list(signals_report(attrs.evolve(good, late=Counter([one])), counted, counted + counted, {}))
    assert ["DO NOT AGREE" in line for line in wrong] == [True, True]
    assert balanced([books["logs"]])
    assert not balanced(books.values())


def test_dispatches_are_counted_by_kind_and_type() -> None:
    """Publishes and dead letters are none."""
    seen = Counter([ONE, OTHER, attrs.evolve(ONE, record="published")])
    assert dispatched(seen) == Counter({"command PlaceOrder": 2})
