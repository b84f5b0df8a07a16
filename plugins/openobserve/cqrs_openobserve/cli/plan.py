"""``plan``: what ``init`` would do."""

import click
import orjson

from cqrs_openobserve.cli.changes import change_lines, counted, plan_document
from cqrs_openobserve.cli.speaking import end, spoken
from cqrs_openobserve.cli.states import app_option, states
from cqrs_openobserve.provision.difference import Plan
from cqrs_openobserve.provision.difference import plan as compare


@click.command()
@click.option("--prune", is_flag=True, help="Also what init --prune would remove.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@app_option
def plan(*, prune: bool, as_json: bool, app: str | None) -> None:
    """Say what init would do, and which fields somebody changed; nothing is touched.

    Exit code 0 if there is nothing to do, 2 if there is, 1 if the server cannot be asked.
    """
    with spoken() as configuration, states(configuration, app) as both:
        found = compare(both.desired, both.actual, prune=prune)
        if as_json:
            click.echo(orjson.dumps(plan_document(found), option=orjson.OPT_INDENT_2))
        else:
            click.echo(f"{configuration.endpoint}, organisation {configuration.organization}")
            print_plan(found)
        end(2 if found.pending or found.stuck else 0)


def print_plan(found: Plan) -> None:
    """Print a plan, a line for each thing and each field.

    Args:
        found: what would be done.
    """
    counts: dict[str, int] = {}
    for change in found.changes:
        counts[change.kind] = counts.get(change.kind, 0) + 1
        for line in change_lines(change):
            click.echo(line)
    click.echo(counted(counts))
