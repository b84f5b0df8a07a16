"""``alerts``: their state, and a rule broken on purpose."""

from collections.abc import Iterator

import click

from cqrs_openobserve.cli.changes import step_lines
from cqrs_openobserve.cli.speaking import Duration, end, spoken
from cqrs_openobserve.cli.states import States, admin_client, app_option, load_rules, states
from cqrs_openobserve.json_values import moment
from cqrs_openobserve.provision.actual import Found
from cqrs_openobserve.provision.desired import rules_of
from cqrs_openobserve.provision.rehearsal import Rehearsal

_NO_EXAMPLE = "has no example: what it compares with cannot be sent today (an own rule takes example=, records that break it)"


@click.group()
def alerts() -> None:
    """Look at the alerts, and try one out."""


@alerts.command("list")
@app_option
def list_alerts(*, app: str | None) -> None:
    """Say of each alert whether it is there, on, and when it was last evaluated and last fired.

    Exit code 0 if all that should be there are there and on, 1 if not.
    """
    with spoken() as configuration, states(configuration, app) as both:
        click.echo(f"{configuration.endpoint}, organisation {configuration.organization}")
        for skipped in both.desired.skipped:
            click.echo(f"  {'skipped':<9}  {skipped.name}  {skipped.text}")
        missing = False
        for state, line in _lines(both):
            missing = missing or state in {"missing", "off"}
            click.echo(f"  {state:<9}  {line}")
        end(1 if missing else 0)


@alerts.command("test")
@click.argument("rule")
@click.option(
    "--notify",
    is_flag=True,
    help="Also send it to the channel, and wait until the server fires it by itself.",
)
@click.option(
    "--timeout", type=Duration(), default="90s", show_default=True, help="How long to wait for each thing."
)
@app_option
def test_alert(rule: str, *, notify: bool, timeout: float, app: str | None) -> None:
    """Send records that break RULE into a stream of their own, and wait until its query fires.

    With --notify the channel gets two messages: one sent by hand, one when the server has evaluated the rule. What is
    made for it is removed again. Exit code 0 if everything came as it should, 1 if not.
    """
    with spoken() as configuration:
        rules = {each.name: each for each in (*rules_of(configuration), *load_rules(app, configuration))}
        if rule not in rules:
            raise click.UsageError(f"there is no rule {rule!r}: it is one of {', '.join(rules)}.")
        if not rules[rule].example:
            raise click.ClickException(f"{rule} {_NO_EXAMPLE}")
        if notify and configuration.settings.alert_channel is None:
            raise click.ClickException("--notify needs a channel: set CQRS_ALERT_CHANNEL and run init.")
        ok = True
        with admin_client(configuration) as client:
            rehearsal = Rehearsal(rules[rule], configuration, client, timeout_s=timeout)
            for step in rehearsal.run(notify=notify):
                ok = ok and step.ok
                for line in step_lines(step):
                    click.echo(line, err=not step.ok)
        end(0 if ok else 1)


def _lines(both: States) -> Iterator[tuple[str, str]]:
    for wanted in both.desired.alerts:
        found = next((each for each in both.actual.named("alert", wanted.name) if each.ours), None)
        yield (
            (_state(found), f"{wanted.name}  {_times(found)}")
            if found
            else ("missing", f"{wanted.name}  run init")
        )


def _state(found: Found) -> str:
    if found.body.get("enabled") is not True:
        return "off"
    return "fired" if found.body.get("last_satisfied_at") else "quiet"


def _times(found: Found) -> str:
    evaluated, fired = (_moment(found.body.get(f"last_{what}_at")) for what in ("triggered", "satisfied"))
    return f"last evaluated {evaluated}, last fired {fired}"


def _moment(micros: object) -> str:
    if not isinstance(micros, int) or micros <= 0:
        return "never"
    return moment(micros)
