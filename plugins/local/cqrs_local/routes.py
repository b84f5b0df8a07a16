"""The routing table: every call of the API, and who may make it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum, auto
from functools import cached_property
from typing import Final

import attrs

from cqrs_local import (
    alerts,
    dashboards,
    destinations,
    folders,
    functions,
    ingest,
    metrics_json,
    organisations,
    otlp,
    pages,
    promql,
    search,
    status,
    streams,
    templates,
    traces,
)
from cqrs_local.answers import Answer
from cqrs_local.backend import Backend
from cqrs_local.requests import Request

ORGANISATIONS: Final = "/api/organizations"
_FOLDERS: Final = "/api/v2/{org}/folders/{kind}"
_ALERTS: Final = "/api/v2/{org}/alerts"
_TEMPLATES: Final = "/api/{org}/alerts/templates"
_DESTINATIONS: Final = "/api/{org}/alerts/destinations"
_PROMETHEUS: Final = "/api/{org}/prometheus/api/v1"
_DASHBOARDS: Final = "/api/{org}/dashboards"

Handler = Callable[[Request, Backend], Awaitable[Answer]]


class Access(Enum):
    """Who may call a route."""

    ANYBODY = auto()
    INGESTION = auto()
    EVERYTHING = auto()


@attrs.frozen
class Route:
    """One call of the API.

    Attributes:
        method: in upper case.
        pattern: path; a part in braces gets that name.
        handler: answers it.
        access: who may call it.
    """

    method: str
    pattern: str
    handler: Handler
    access: Access = Access.EVERYTHING

    @cached_property
    def parts(self) -> Sequence[str]:
        """What the pattern has between its slashes."""
        return tuple(self.pattern.removeprefix("/").split("/"))

    def match(self, segments: tuple[str, ...]) -> Mapping[str, str] | None:
        """The named parts of a path, None if it is another path."""
        if len(self.parts) != len(segments):
            return None
        names: dict[str, str] = {}
        for part, value in zip(self.parts, segments, strict=True):
            if part[:1] == "{" and value:
                names[part[1:-1]] = value
            elif part != value:
                return None
        return names


ROUTES: Final = (
    Route("GET", "/healthz", status.healthz, Access.ANYBODY),
    Route("HEAD", "/healthz", status.healthz, Access.ANYBODY),
    Route("GET", "/", pages.index, Access.ANYBODY),
    Route("GET", "/page/{file}", pages.asset, Access.ANYBODY),
    Route("GET", "/page/vendor/{file}", pages.vendored, Access.ANYBODY),
    Route("GET", "/api/{org}/_local/alerts", pages.alert_states),
    Route("GET", "/config", status.config, Access.ANYBODY),
    Route("GET", ORGANISATIONS, organisations.list_organisations),
    Route("POST", "/api/{org}/_search", search.search),
    Route("GET", "/api/{org}/streams", streams.list_streams),
    Route("POST", "/api/{org}/streams/{stream}", streams.create_stream),
    Route("DELETE", "/api/{org}/streams/{stream}", streams.delete_stream),
    Route("GET", "/api/{org}/streams/{stream}/schema", streams.show_schema),
    Route("PUT", "/api/{org}/streams/{stream}/settings", streams.change_settings),
    Route("POST", "/api/{org}/{stream}/_json", ingest.ingest_json, Access.INGESTION),
    Route("POST", "/api/{org}/v1/logs", otlp.ingest_logs, Access.INGESTION),
    Route("POST", "/api/{org}/v1/metrics", otlp.ingest_metrics, Access.INGESTION),
    Route("POST", "/api/{org}/v1/traces", otlp.ingest_traces, Access.INGESTION),
    Route("POST", "/api/{org}/traces", otlp.ingest_traces, Access.INGESTION),
    Route("POST", "/api/{org}/otel/v1/traces", otlp.ingest_traces, Access.INGESTION),
    Route("POST", "/api/{org}/{stream}/_multi", ingest.ingest_multi, Access.INGESTION),
    Route("POST", "/api/{org}/ingest/metrics/_json", metrics_json.ingest_metrics_json, Access.INGESTION),
    Route("GET", "/api/{org}/passcode", status.passcode),
    Route("GET", "/api/{org}/{stream}/traces/latest", traces.latest_traces),
    Route("GET", _FOLDERS, folders.list_folders),
    Route("POST", _FOLDERS, folders.create_folder),
    Route("GET", f"{_FOLDERS}/name/{{name}}", folders.find_folder),
    Route("GET", f"{_FOLDERS}/{{folder}}", folders.show_folder),
    Route("PUT", f"{_FOLDERS}/{{folder}}", folders.change_folder),
    Route("DELETE", f"{_FOLDERS}/{{folder}}", folders.delete_folder),
    Route("GET", _TEMPLATES, templates.list_templates),
    Route("POST", _TEMPLATES, templates.create_template),
    Route("GET", f"{_TEMPLATES}/{{name}}", templates.show_template),
    Route("PUT", f"{_TEMPLATES}/{{name}}", templates.change_template),
    Route("DELETE", f"{_TEMPLATES}/{{name}}", templates.delete_template),
    Route("GET", _DESTINATIONS, destinations.list_destinations),
    Route("POST", _DESTINATIONS, destinations.create_destination),
    Route("GET", f"{_DESTINATIONS}/{{name}}", destinations.show_destination),
    Route("PUT", f"{_DESTINATIONS}/{{name}}", destinations.change_destination),
    Route("DELETE", f"{_DESTINATIONS}/{{name}}", destinations.delete_destination),
    Route("GET", _ALERTS, alerts.list_alerts),
    Route("POST", _ALERTS, alerts.create_alert),
    Route("PATCH", f"{_ALERTS}/move", alerts.move_alerts),
    Route("GET", f"{_ALERTS}/{{alert}}", alerts.show_alert),
    Route("PUT", f"{_ALERTS}/{{alert}}", alerts.change_alert),
    Route("DELETE", f"{_ALERTS}/{{alert}}", alerts.delete_alert),
    Route("PATCH", f"{_ALERTS}/{{alert}}/enable", alerts.enable_alert),
    Route("PATCH", f"{_ALERTS}/{{alert}}/trigger", alerts.trigger_alert),
    Route("GET", _DASHBOARDS, dashboards.list_dashboards),
    Route("POST", _DASHBOARDS, dashboards.create_dashboard),
    Route("GET", f"{_DASHBOARDS}/{{dashboard}}", dashboards.show_dashboard),
    Route("PUT", f"{_DASHBOARDS}/{{dashboard}}", dashboards.change_dashboard),
    Route("DELETE", f"{_DASHBOARDS}/{{dashboard}}", dashboards.delete_dashboard),
    *(
        Route(method, f"{_PROMETHEUS}/{name}", handler)
        for method in ("GET", "POST")
        for name, handler in (
            ("query", promql.query),
            ("query_range", promql.query_range),
            ("labels", promql.labels),
            ("series", promql.series),
        )
    ),
    Route("GET", f"{_PROMETHEUS}/label/{{label}}/values", promql.label_values),
    Route("GET", f"{_PROMETHEUS}/metadata", promql.metadata),
    Route("GET", "/api/{org}/functions", functions.list_functions),
    Route("POST", "/api/{org}/functions", functions.refuse),
    Route("POST", "/api/{org}/pipelines", functions.refuse),
)


_BY_LENGTH: Final = {
    length: tuple(route for route in ROUTES if len(route.parts) == length)
    for length in {len(route.parts) for route in ROUTES}
}


def routes_of_length(parts: int) -> Sequence[Route]:
    """The routes with so many parts in their path, in the order of the table (pure)."""
    return _BY_LENGTH.get(parts, ())
