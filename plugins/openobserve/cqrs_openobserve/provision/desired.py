"""The state that the server should be in, as one value made from the settings; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, final

import attrs

from cqrs_openobserve.channels import Channel
from cqrs_openobserve.configuration import Configuration
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.alerts import Thresholds, rules
from cqrs_openobserve.provision.boards import dashboards
from cqrs_openobserve.provision.messages import DESTINATION, TEMPLATE, destination, template
from cqrs_openobserve.provision.ownership import MARK, stamped
from cqrs_openobserve.provision.queries import StreamNames
from cqrs_openobserve.provision.streams import Stream, all_streams

Subject = Literal["stream", "folder", "template", "destination", "alert", "dashboard"]
FOLDER: Final = "CQRS"
_NO_CHANNEL: Final = "no channel is set, and the server takes no alert without one"
_CHANNEL_HINT: Final = "set CQRS_ALERT_CHANNEL, for example to webhook:https://hooks.example.com/cqrs."
_NO_METRICS: Final = "OPENOBSERVE_METRICS_ENABLED is off, and it reads the stream of metrics"


@final
@attrs.frozen
class Wanted:
    """One thing as it should be.

    Attributes:
        subject: what it is.
        name: how people call it; of a folder with the kind of things in it, ``dashboards/CQRS``.
        body: of the call that creates or replaces it; it holds the mark.
        folder: the folder it is created in; empty for none.
    """

    subject: Subject
    name: str
    body: Mapping[str, object]
    folder: str = ""


@final
@attrs.frozen
class Skipped:
    """One thing that is not made, and why.

    Attributes:
        subject: what it is.
        name: how it would be called.
        text: the reason.
        hint: what to do to get it.
    """

    subject: Subject
    name: str
    text: str
    hint: str


@final
@attrs.frozen
class Desired:
    """Everything that should be there.

    Attributes:
        streams: with all their columns.
        folders: of dashboards, and of alerts if there are any.
        template: the text that alerts send; None without a channel.
        destination: where they send it; None without a channel.
        alerts: rules with that destination; none without a channel.
        dashboards: one for commands, queries and events.
        rules: the rules, also those that are skipped.
        skipped: what is not made, and why.
        channel: where alerts are sent.
    """

    streams: tuple[Stream, ...] = ()
    folders: tuple[Wanted, ...] = ()
    template: Wanted | None = None
    destination: Wanted | None = None
    alerts: tuple[Wanted, ...] = ()
    dashboards: tuple[Wanted, ...] = ()
    rules: tuple[AlertRule, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    channel: Channel | None = None

    @property
    def alerting(self) -> bool:
        """Whether there is anything about alerts in it; without a channel there is not."""
        return self.template is not None or self.destination is not None or bool(self.alerts)

    def marked(self) -> Iterator[Wanted]:
        """Give everything that carries the mark, in the order in which it can be made."""
        yield from self.folders
        yield from (each for each in (self.template, self.destination) if each is not None)
        yield from self.alerts
        yield from self.dashboards


def desired(configuration: Configuration, rules: Sequence[AlertRule] = ()) -> Desired:
    """Say what should be there.

    Args:
        configuration: streams, thresholds and channel.
        rules: of the user's own, beside ours.
    """
    channel = configuration.settings.alert_channel
    names = _stream_names(configuration)
    every = (*rules_of(configuration), *rules)
    boards = tuple(
        Wanted("dashboard", board.title, board.body(), f"dashboards/{FOLDER}") for board in dashboards(names)
    )
    known = Desired(
        streams=all_streams(configuration),
        folders=(_folder("dashboards"),),
        dashboards=boards,
        rules=every,
        skipped=tuple(_skipped(configuration, every)),
        channel=channel,
    )
    if channel is None:
        return known
    return attrs.evolve(
        known,
        folders=(*known.folders, _folder("alerts")),
        template=Wanted("template", TEMPLATE, template(channel)),
        destination=Wanted("destination", DESTINATION, destination(channel)),
        alerts=tuple(
            Wanted("alert", rule.name, rule.body([DESTINATION]), f"alerts/{FOLDER}") for rule in every
        ),
    )


def rules_of(configuration: Configuration) -> tuple[AlertRule, ...]:
    """Give our own rules, with the thresholds and windows that are set.

    Args:
        configuration: streams and settings.
    """
    return rules(_stream_names(configuration), Thresholds.of(configuration.settings))


def _stream_names(configuration: Configuration) -> StreamNames:
    streams = configuration.streams
    metrics = configuration.stream_metrics if configuration.settings.metrics_enabled else ""
    return StreamNames(streams["command"], streams["query"], streams["event"], metrics)


def _folder(kind: str) -> Wanted:
    name = f"{kind}/{FOLDER}"
    body = {"name": FOLDER, "description": f"{kind.capitalize()} of CQRS ({MARK})"}
    return Wanted("folder", name, stamped(body, "folder", name))


def _skipped(configuration: Configuration, every: Sequence[AlertRule]) -> Iterator[Skipped]:
    if not configuration.settings.metrics_enabled:
        yield Skipped(
            "alert",
            "cqrs_dead_letter_backlog",
            _NO_METRICS,
            "set OPENOBSERVE_METRICS_ENABLED=true to get it.",
        )
    if configuration.settings.alert_channel is None:
        yield from (Skipped("alert", rule.name, _NO_CHANNEL, _CHANNEL_HINT) for rule in every)
