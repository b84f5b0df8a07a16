"""From the standard library's logging to our queue."""

import logging
import logging.config
import threading
from collections.abc import Iterator

import pytest
from cqrs_openobserve import log_handler
from cqrs_openobserve.log_handler import OpenObserveHandler, line_of
from cqrs_openobserve.log_lines import LogLine
from opentelemetry.sdk.trace import TracerProvider

from cqrs import MessageContext
from cqrs.context import current

LOGGER = logging.getLogger("shop.orders")


@pytest.fixture
def lines() -> Iterator[list[LogLine]]:
    """What arrives while an app with CQRS_STREAM_LOGS runs."""
    found: list[LogLine] = []
    handler = log_handler.start(found.append)
    LOGGER.setLevel(logging.DEBUG)
    yield found
    log_handler.stop(found.append, handler)
    LOGGER.setLevel(logging.NOTSET)
    assert not any(isinstance(each, OpenObserveHandler) for each in logging.getLogger().handlers)


def test_a_line_arrives_with_everything_that_is_known(lines: list[LogLine]) -> None:
    """Level, place, formatted message and extras."""
    LOGGER.warning("low on %s", "apples", extra={"sku": "a"})

    (line,) = lines
    assert (line.level, line.logger, line.text, line.extra) == (
        "WARN",
        "shop.orders",
        "low on apples",
        {"sku": "a"},
    )
    assert line.function == "test_a_line_arrives_with_everything_that_is_known"
    assert line.file == __file__
    assert line.thread == "MainThread"


@pytest.mark.parametrize(
    ("number", "level"),
    [(10, "DEBUG"), (15, "DEBUG"), (20, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "ERROR")],
)
def test_levels_are_those_of_records(lines: list[LogLine], number: int, level: str) -> None:
    """So that one query covers both."""
    LOGGER.log(number, "x")
    assert [line.level for line in lines] == [level]


def test_an_exception_is_formatted_where_it_happened(lines: list[LogLine]) -> None:
    """Its frames are not kept."""
    try:
        int("broken")
    except ValueError:
        LOGGER.exception("failed")

    assert lines[0].exception_type == "ValueError"
    assert lines[0].traceback.endswith("invalid literal for int() with base 10: 'broken'\n")


def test_a_line_that_cannot_be_formatted_is_sent_as_far_as_it_goes() -> None:
    """And raises nothing into the app."""

    class Hostile(Exception):  # noqa: N818 - what it is
        def __str__(self) -> str:
            raise RuntimeError

    def line(text: str, *arguments: object, error: BaseException | None = None) -> LogLine:
        info = None if error is None else (type(error), error, None)
        return line_of(logging.LogRecord("shop", logging.INFO, "f.py", 1, text, arguments, info))

    assert line("one %s two %s", "argument").text == "one %s two %s (not formatted: TypeError)"
    assert line("%s", Hostile()).text == "%s (not formatted: RuntimeError)"
    assert line("told", error=Hostile()).exception_type.endswith("Hostile")


def test_a_line_belongs_to_its_dispatch(lines: list[LogLine]) -> None:
    """By message, correlation and trace."""
    context = MessageContext().begin()
    context.span_number = 7
    token = current.set(context)
    LOGGER.info("x")
    current.reset(token)
    LOGGER.info("outside")

    inside, outside = lines
    assert (inside.message_number, inside.correlation_id) == (context.message_number, context.correlation_id)
    assert (inside.trace_number, inside.span_number) == (context.trace_number, 7)
    assert (outside.message_number, outside.trace_number, outside.correlation_id) == (0, 0, "")


def test_a_line_belongs_to_the_innermost_span(lines: list[LogLine]) -> None:
    """Also to one of the user's, with or without a dispatch."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("user")
    with tracer.start_as_current_span("inner") as span:
        LOGGER.info("x")

    identity = span.get_span_context()
    assert (lines[0].trace_number, lines[0].span_number) == (identity.trace_id, identity.span_id)


@pytest.mark.parametrize(
    "name", ["cqrs.openobserve", "httpx", "httpcore.connection", "opentelemetry.sdk.trace"]
)
def test_what_speaks_about_sending_is_not_sent(lines: list[LogLine], name: str) -> None:
    """It would be telemetry about telemetry, without end."""
    logging.getLogger(name).error("x")
    assert lines == []


def test_what_our_own_threads_say_is_not_sent(lines: list[LogLine]) -> None:
    """Whatever logger it is on."""
    thread = threading.Thread(target=LOGGER.error, args=("x",), name="cqrs-openobserve-sender")
    thread.start()
    thread.join()
    assert lines == []


def test_a_handler_of_the_users_takes_the_place_of_ours(lines: list[LogLine]) -> None:
    """No line is sent twice; the first app of several gets it; without an app it goes nowhere."""
    more: list[LogLine] = []
    second = log_handler.start(more.append)
    assert second is None
    LOGGER.info("x")
    log_handler.stop(more.append, second)
    assert (len(lines), len(more)) == (1, 0)


def test_it_can_be_named_in_a_configuration() -> None:
    """As any handler; it takes nothing but a level."""
    found: list[LogLine] = []
    settings = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"observe": {"class": "cqrs_openobserve.OpenObserveHandler", "level": "WARNING"}},
        "loggers": {"shop.chosen": {"handlers": ["observe"], "level": "DEBUG", "propagate": False}},
    }
    logging.config.dictConfig(settings)
    chosen = logging.getLogger("shop.chosen")
    chosen.warning("nobody is there yet")
    handler = log_handler.start(found.append)
    try:
        chosen.info("below")
        chosen.warning("above")
    finally:
        log_handler.stop(found.append, handler)
        chosen.handlers.clear()
    assert [line.text for line in found] == ["above"]
