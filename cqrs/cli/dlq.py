"""``cqrs dlq``: look at the dead letters of an app, deliver them again, throw them away."""

import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import anyio
import click
from returns.result import Failure, Result, Success

from cqrs.app import CqrsApp
from cqrs.cli.app_argument import load_app, takes_app
from cqrs.dead_letter import (
    DeadLetter,
    DeadLetterQueue,
    LetterFilter,
    LetterNotFound,
    MemoryDeadLetterQueue,
    QueueFault,
    StoredEvent,
)
from cqrs.masking import masked, masked_text
from cqrs.problems import CompositionError
from cqrs.replay import ReplayReport

Answer = TypeVar("Answer")
Command = TypeVar("Command", bound=Callable[..., object])

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _choosing(command: Command) -> Command:
    options = (
        click.option("--id", "letter_id", metavar="ID", help="Only the letter with this id."),
        click.option("--subscriber", metavar="NAME", help="Only letters for this subscriber."),
        click.option("--sequence", metavar="KEY", help="Only letters of this sequence."),
        click.option(
            "--type", "type_id", metavar="NAME", help="Only events that are stored under this name."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def dlq() -> None:
    """Look at the dead letters of APP, deliver them again, throw them away.

    They are read from the file that APP was given or that CQRS_DEAD_LETTERS names, whether APP runs or not.
    """


@dlq.command("list")
@_choosing
@takes_app
@_json
def list_letters(app: str, /, *, as_json: bool, **chosen: str | None) -> None:
    """List the letters, oldest first."""
    letters = _on_queue(_queue(app), lambda queue: _every(queue, _filter(chosen)))
    if as_json:
        click.echo(json.dumps([_summary(letter) for letter in letters], indent=2))
        return
    for letter in letters:
        click.echo(_line(letter))
    click.echo(f"{len(letters)} dead letter{'' if len(letters) == 1 else 's'}", err=True)


@dlq.command()
@click.argument("letter_id", metavar="ID")
@takes_app
@_json
def show(app: str, /, letter_id: str, *, as_json: bool) -> None:
    """Show the letter with this ID: event, error, traceback; what looks like a secret is masked."""
    letter = _on_queue(_queue(app), lambda queue: queue.get(letter_id))
    shown = {**_summary(letter), "traceparent": letter.traceparent, "event": _event(letter)}
    traceback = masked_text(letter.error.traceback) if letter.error else ""
    if as_json:
        click.echo(json.dumps({**shown, "traceback": traceback}, indent=2))
        return
    width = max(map(len, shown))
    for name, value in shown.items():
        click.echo(f"{name:<{width}}  {value if isinstance(value, str) else json.dumps(value)}")
    if traceback:
        click.echo(f"\n{traceback}")


@dlq.command()
@_choosing
@takes_app
@_json
def replay(app: str, /, *, as_json: bool, **chosen: str | None) -> None:
    """Start APP, deliver letters again, each to the subscriber that it is for; exit 1 if one stays parked."""
    composed = load_app(app)
    _check(_queue_of(composed))
    report = anyio.run(_replayed, composed, _filter(chosen))
    parked = {letter: masked_text(reason) for letter, reason in report.parked.items()}
    fault = None if report.fault is None else masked_text(str(report.fault))
    if as_json:
        click.echo(json.dumps({"delivered": report.delivered, "parked": parked, "fault": fault}, indent=2))
    else:
        for letter in report.delivered:
            click.echo(f"delivered  {letter}")
        for letter, reason in parked.items():
            click.echo(f"parked     {letter}  {reason}")
        click.echo(f"{len(report.delivered)} delivered, {len(parked)} stay parked", err=True)
        if isinstance(report.fault, LetterNotFound):
            click.echo(f"there is no such dead letter: {report.fault.id}", err=True)
        elif fault:
            click.echo(f"ended early: {fault}", err=True)
    sys.exit(not report.ok)


@dlq.command()
@_choosing
@click.option("--all", "everything", is_flag=True, help="All of them.")
@takes_app
@_json
def purge(app: str, /, *, everything: bool, as_json: bool, **chosen: str | None) -> None:
    """Throw letters away for good; say which, or --all."""
    if everything == any(chosen.values()):
        raise click.UsageError("say which letters: --id, --subscriber, --sequence, --type, or --all.")
    count = _on_queue(_queue(app), lambda queue: queue.discard(_filter(chosen)))
    click.echo(json.dumps({"purged": count}) if as_json else f"{count} purged")


async def _replayed(app: CqrsApp, wanted: LetterFilter) -> ReplayReport:
    try:
        async with app:
            return await app.dead_letters.replay(wanted)
    except CompositionError as error:
        raise click.ClickException(str(error)) from None


def _queue(reference: str) -> DeadLetterQueue:
    return _check(_queue_of(load_app(reference)))


def _queue_of(app: CqrsApp) -> DeadLetterQueue:
    chosen = app.dead_letters.choose()
    if isinstance(chosen, Failure):
        raise click.ClickException(str(chosen.failure()))
    return chosen.unwrap()


def _check(queue: DeadLetterQueue) -> DeadLetterQueue:
    if isinstance(queue, MemoryDeadLetterQueue):
        raise click.ClickException(
            "this app keeps its dead letters in memory, where only its own process sees them. "
            "Fix: CQRS_DEAD_LETTERS=sqlite:PATH, for the app and for this command."
        )
    return queue


def _on_queue(
    queue: DeadLetterQueue, ask: Callable[[DeadLetterQueue], Awaitable[Result[Answer, QueueFault]]]
) -> Answer:
    async def asked() -> Result[Answer, QueueFault]:
        opened = await queue.open()
        if isinstance(opened, Failure):
            return Failure(opened.failure())
        try:
            return await ask(queue)
        finally:
            await queue.close()

    answer = anyio.run(asked)
    if isinstance(answer, Failure):
        raise click.ClickException(str(answer.failure()))
    return answer.unwrap()


async def _every(queue: DeadLetterQueue, wanted: LetterFilter) -> Result[list[DeadLetter], QueueFault]:
    letters: list[DeadLetter] = []
    cursor: int | None = 0
    while cursor is not None:
        page = await queue.page(cursor, 100, wanted)
        if isinstance(page, Failure):
            return Failure(page.failure())
        letters += page.unwrap().letters
        cursor = page.unwrap().cursor
    return Success(letters)


def _filter(chosen: dict[str, str | None]) -> LetterFilter:
    return LetterFilter(chosen["letter_id"], chosen["subscriber"], chosen["sequence"], chosen["type_id"])


def _summary(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": letter.id,
        "type": letter.type_id,
        "subscriber": letter.subscriber,
        "sequence": letter.sequence,
        "attempts": letter.attempts,
        "first_failed": _when(letter.first_failed_ns),
        "last_failed": _when(letter.last_failed_ns),
        "error": None if letter.error is None else masked_text(f"{letter.error.kind}: {letter.error.text}"),
    }


def _line(letter: DeadLetter) -> str:
    shown = {
        name: (f"{value}".splitlines() or ["-"])[0] if value is not None else "-"
        for name, value in _summary(letter).items()
    }
    return "{id}  {first_failed}  {type} → {subscriber}  sequence {sequence}  attempts {attempts}  {error}".format(
        **shown
    )


def _event(letter: DeadLetter) -> object:
    if not isinstance(letter.event, StoredEvent):
        return masked_text(repr(letter.event))
    try:
        return masked(json.loads(letter.event.payload))
    except ValueError:
        return masked_text(letter.event.payload)


def _when(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat(timespec="milliseconds")
