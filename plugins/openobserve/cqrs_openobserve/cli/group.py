"""The group of commands; each stands in a file of its own."""

import click

from cqrs_openobserve.cli.alerts import alerts
from cqrs_openobserve.cli.dashboards import dashboards
from cqrs_openobserve.cli.doctor import doctor
from cqrs_openobserve.cli.export import export
from cqrs_openobserve.cli.init import init
from cqrs_openobserve.cli.plan import plan
from cqrs_openobserve.cli.verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """OpenObserve: set the server up, see what is different, prove that records arrive.

    The settings are environment variables: OPENOBSERVE_URL and OPENOBSERVE_TOKEN are needed,
    OPENOBSERVE_ADMIN_TOKEN if that token may only send.
    """


for _command in (init, plan, verify, doctor, alerts, dashboards, export):
    group.add_command(_command)
