"""``dashboards``: where they are to be seen."""

import sys
from urllib.parse import quote, urlencode

import click

from cqrs_openobserve.cli.speaking import end, spoken
from cqrs_openobserve.cli.states import States, states
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.json_values import mapping
from cqrs_openobserve.provision.actual import Found
from cqrs_openobserve.provision.server import content


@click.group()
def dashboards() -> None:
    """Look at the dashboards."""


@dashboards.command("open")
@click.argument("title", default="")
@click.option("--print", "only_print", is_flag=True, help="Only print the addresses.")
def open_dashboards(title: str, *, only_print: bool) -> None:
    """Print the addresses of the dashboards; open the first one, or the one whose title has TITLE in it, in a browser.

    A browser is opened only from a terminal. Exit code 1 if there is no such dashboard.
    """
    with spoken() as configuration, states(configuration, None) as both:
        pages = [
            (wanted.name, _address(configuration, both, found))
            for wanted in both.desired.dashboards
            for found in both.actual.named("dashboard", wanted.name)[:1]
            if found.ours and title.lower() in wanted.name.lower()
        ]
        for name, address in pages:
            click.echo(f"{name:<14}  {address}")
        if not pages:
            click.echo("there is none: run cqrs openobserve init", err=True)
            end(1)
        elif not only_print and sys.stdout.isatty():
            click.launch(pages[0][1])


def _address(configuration: Configuration, both: States, found: Found) -> str:
    # The local server says nothing of the commit that it was built from; its page has addresses of its own.
    if "commit_hash" not in mapping(content(both.client.ask("GET", "/config"))):
        return f"{configuration.endpoint}/#dashboards/{quote(found.key)}"
    query = {"org_identifier": configuration.organization, "dashboard": found.key, "folder": found.folder}
    return f"{configuration.endpoint}/web/dashboards/view?{urlencode(query)}"
