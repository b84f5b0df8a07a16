"""``verify``: prove the installation by reading back what was sent."""

import sys

import click

from cqrs_openobserve.cli.speaking import Duration, end, spoken, warn_of_rates
from cqrs_openobserve.cli.states import app_option, load_rules
from cqrs_openobserve.verify import Finding, Verification, all_proven, as_json

_WORDS = {"proven": "proven", "missed": "MISSED", "warning": "note"}


@click.command()
@click.option(
    "--timeout",
    type=Duration(),
    default="30s",
    show_default=True,
    help="How long to wait for probes at most.",
)
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object instead of lines.")
@app_option
def verify(timeout: float, *, as_object: bool, app: str | None) -> None:
    """Prove that records, metrics and spans arrive, by reading each back.

    What init makes has to be there as the plan wants it, with alerts that are enabled; that no channel is set for them is
    only noted. One probe per stream takes the way of production: records, a metric, a span and, if CQRS_STREAM_LOGS is set, a log
    line. Exit code 0 if everything was proven, 1 if not; each miss is told with its likely cause.
    """
    with spoken() as configuration:
        warn_of_rates(configuration)
        url, organization = str(configuration.endpoint), configuration.organization
        if not as_object:
            click.echo(f"{url}, organisation {organization}")
        findings: list[Finding] = []
        rules = load_rules(app, configuration)
        verification = Verification(configuration, timeout_s=timeout, rules=rules, progress=_progress)
        for finding in verification.run():
            findings.append(finding)
            if not as_object:
                _say(finding)
        if as_object:
            click.echo(as_json(url, organization, verification.identity.text, findings))
        end(0 if all_proven(findings) else 1)


def _say(finding: Finding) -> None:
    click.echo(f"  {_WORDS[finding.outcome]:<6}  {finding.proof:<12}  {finding.subject}  {finding.text}")
    if finding.cause:
        click.echo(f"  {'':<6}  {'':<12}  Likely cause: {finding.cause}")


def _progress(waiting: int, of: int) -> None:
    # Only for somebody who watches: no control character gets into a file.
    if waiting and sys.stderr.isatty():
        click.echo(f"\r  waiting for {waiting} of {of} probes \r", err=True, nl=False)
