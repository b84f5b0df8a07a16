"""``doctor``: find out what keeps telemetry from arriving, without changing anything."""

import click

from cqrs_openobserve.cli.speaking import Duration, end
from cqrs_openobserve.cli.states import app_option, load_rules
from cqrs_openobserve.doctor import Examination, Line


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.option("--quiet", is_flag=True, help="Print only what is not ok.")
@click.option(
    "--timeout", type=Duration(), default="60s", show_default=True, help="How long to ask the server at most."
)
@app_option
def doctor(timeout: float, *, as_json: bool, quiet: bool, app: str | None) -> None:
    """Find out what keeps telemetry from arriving; nothing is changed or stored.

    Looks at versions, settings, the way to the server, what the tokens may do, the streams with their columns, clocks,
    directories and the books of running processes. Each line is ok, warn or fail, with what to do. Exit code 0 if all
    is well, 1 for warnings, 2 if something does not work.
    """
    examination = Examination(timeout_s=timeout)
    rules = () if examination.configuration is None else load_rules(app, examination.configuration)
    lines: list[Line] = []
    for line in examination.run(rules):
        lines.append(line)
        if not as_json and not (quiet and line.status == "ok"):
            _say(line)
    report = examination.report(tuple(lines))
    if as_json:
        click.echo(report.as_json())
    else:
        click.echo(_summary(report.lines))
    end(report.exit_code)


def _say(line: Line) -> None:
    click.echo(f"  {line.status:<4}  {line.section:<12}  {line.text}")
    if line.fix:
        click.echo(f"  {'':<4}  {'':<12}  Fix: {line.fix}")


def _summary(lines: tuple[Line, ...]) -> str:
    counts = {status: sum(line.status == status for line in lines) for status in ("ok", "warn", "fail")}
    return ", ".join(f"{count} {status}" for status, count in counts.items())
