"""``init``: bring the server into the desired state."""

import click
import orjson

from cqrs_openobserve.cli.changes import counted, plan_document, step_lines
from cqrs_openobserve.cli.plan import print_plan
from cqrs_openobserve.cli.speaking import end, spoken, warn_of_rates
from cqrs_openobserve.cli.states import States, app_option, states
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.provision.apply import Step, apply
from cqrs_openobserve.provision.difference import Plan, plan

_INTERRUPTED = "interrupted: what is done stays; run init again, and it goes on from there."


@click.command()
@click.option(
    "--prune", is_flag=True, help="Remove alerts and dashboards that init made and that are no longer wanted."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quiet", is_flag=True, help="Print only what went wrong.")
@app_option
def init(*, prune: bool, dry_run: bool, as_json: bool, quiet: bool, app: str | None) -> None:
    """Create streams with all their columns, alerts with their channel, and dashboards; mend what is not so.

    Repeated, it changes nothing. Whatever it did not make itself it leaves alone. Exit code 0 if the server is
    then as it should be, 1 if not; stopped anywhere, the next run goes on from there.
    """
    with spoken() as configuration:
        warn_of_rates(configuration)
        try:
            with states(configuration, app) as both:
                found = plan(both.desired, both.actual, prune=prune)
                if not as_json and not quiet:
                    click.echo(f"{configuration.endpoint}, organisation {configuration.organization}")
                if dry_run:
                    _would(found, as_json=as_json)
                    return
                steps = _carried_out(found, both, configuration, silent=as_json, quiet=quiet)
        except KeyboardInterrupt:
            click.echo(_INTERRUPTED, err=True)
            raise click.exceptions.Exit(130) from None
        if as_json:
            click.echo(orjson.dumps(_document(steps), option=orjson.OPT_INDENT_2))
        end(0 if all(step.ok for step in steps) else 1)


def _would(found: Plan, *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(plan_document(found), option=orjson.OPT_INDENT_2))
    else:
        print_plan(found)


def _carried_out(
    found: Plan, both: States, configuration: Configuration, *, silent: bool, quiet: bool
) -> list[Step]:
    steps: list[Step] = []
    for step in apply(found, both.desired, both.actual, configuration, both.client):
        steps.append(step)
        if silent or (quiet and step.ok):
            continue
        for line in step_lines(step):
            click.echo(line, err=not step.ok)
    if not silent and not quiet:
        click.echo(_summary(steps, found))
    return steps


def _summary(steps: list[Step], found: Plan) -> str:
    counts: dict[str, int] = {}
    for step in steps:
        counts[step.did] = counts.get(step.did, 0) + 1
    left = len(found.changes) - len(steps)
    reasons = {step.text: step.hint for step in steps if step.did == "skipped" and step.hint}
    hints = "".join(f"\nskipped: {text}; {hint}" for text, hint in reasons.items())
    return counted(counts) + (f"; {left} not tried" if left else "") + hints


def _document(steps: list[Step]) -> dict[str, object]:
    return {
        "ok": all(step.ok for step in steps),
        "steps": [
            {
                "subject": step.subject,
                "name": step.name,
                "did": step.did,
                "text": step.text,
                "hint": step.hint,
            }
            for step in steps
        ],
    }
