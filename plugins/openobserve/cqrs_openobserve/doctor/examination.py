"""One look at everything, in the order in which one thing needs another."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import final

import attrs
from returns.result import Failure

from cqrs.clock import Clock, SystemClock
from cqrs_openobserve.answers import one_line
from cqrs_openobserve.configuration import Configuration, read
from cqrs_openobserve.doctor import (
    access,
    files,
    network,
    processes,
    provisioning,
    server,
    signals,
    streams,
    surroundings,
)
from cqrs_openobserve.doctor.lines import Line, Report, Section, Setting, worst
from cqrs_openobserve.plugin import client_of
from cqrs_openobserve.provision.alert_rule import AlertRule
from cqrs_openobserve.provision.server import Server, masked
from cqrs_openobserve.tls import tls_context


@final
class Examination:
    """Looks at an installation, and changes nothing.

    Args:
        env: the environment.
        clock: tells the time.
        given: values by field name of ``Settings`` that win over the environment.
        timeout_s: how long the server may be asked altogether, in seconds.

    Attributes:
        configuration: what the settings say; None if they are wrong.
        problems: what is wrong with them.
        settings: every setting with its source, once ``run`` has found them.
    """

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        given: Mapping[str, object] | None = None,
        *,
        timeout_s: float = 60.0,
    ) -> None:
        self._env = os.environ if env is None else env
        self._clock = clock or SystemClock()
        self._timeout_s = timeout_s
        found = read(self._env, given)
        self.configuration = None if isinstance(found, Failure) else found.unwrap()
        self.problems = found.failure() if isinstance(found, Failure) else ()
        self.settings: tuple[Setting, ...] = ()

    def run(self, rules: Sequence[AlertRule] = ()) -> Iterator[Line]:
        """Look at everything.

        Args:
            rules: alerts of the user's own.

        Yields:
            Each line as soon as it is found.
        """
        around = surroundings.look(self._env)
        self.settings = around.settings
        yield from surroundings.judge_versions(around)
        yield from self._settings()
        if self.configuration is not None:
            yield from self._guarded("server", self._server(self.configuration, rules))
            yield from self._guarded("files", self._files(self.configuration))
        yield from surroundings.judge_process(around)
        if self.configuration is not None:
            yield from self._guarded("process", self._processes(self.configuration))

    def _guarded(self, section: Section, lines: Iterator[Line]) -> Iterator[Line]:
        """Tell of a defect of ours as of any other trouble: what stands after it is wanted all the more."""
        try:
            yield from lines
        except Exception as error:  # noqa: BLE001  # said as a line; nothing hides it
            said = f"{type(error).__name__}: {error}"
            if self.configuration is not None:
                said = masked(self.configuration, said)
            text = f"this look failed, a defect of returns-cqrs-openobserve: {one_line(said)[:300]}"
            yield Line(
                section, "defect", "fail", text, "report it, with what cqrs openobserve doctor --json prints"
            )

    def report(self, lines: tuple[Line, ...]) -> Report:
        """Give everything as one value.

        Args:
            lines: what ``run`` gave.
        """
        found = self.configuration
        if found is None:
            return Report("", "", lines, self.settings)
        return Report(str(found.endpoint), found.organization, lines, self.settings)

    def _settings(self) -> Iterator[Line]:
        for problem in self.problems:
            yield Line("settings", "problem", "fail", problem.text, problem.fix)
        if self.configuration is None:
            return
        for warning in self.configuration.warnings:
            yield Line("settings", "warning", "warn", warning, "change the variable that it names")
        told = [_told(each) for each in self.settings if each.source not in {"default", "given"}]
        yield Line("settings", "set", "ok", ", ".join(told) or "everything has its default")

    def _server(self, configuration: Configuration, rules: Sequence[AlertRule]) -> Iterator[Line]:
        settings = configuration.settings
        way = network.judge(
            network.look(configuration, lambda: tls_context(settings.ca_file, insecure=settings.insecure_tls))
        )
        yield from way
        if worst(way) == "fail":
            yield from signals.judge(settings, None)
            return
        clients = [
            client_of(configuration, each) for each in (configuration.credentials, configuration.admin)
        ]
        for client in clients:
            client.limit(self._clock.monotonic_ns() / 1e9 + self._timeout_s)
        try:
            yield from self._answers(configuration, *clients, rules=rules)
        finally:
            for client in clients:
                client.close()

    def _answers(
        self, configuration: Configuration, sender: Server, admin: Server, *, rules: Sequence[AlertRule]
    ) -> Iterator[Line]:
        found = list(examine_server(configuration, admin, self._now()))
        yield from found
        if any(line.section == "server" and line.status == "fail" for line in found):
            yield from signals.judge(configuration.settings, None)
            return
        rights = access.judge(configuration, access.look(configuration, sender, admin))
        yield from rights
        if not any(line.name == "search" and line.status == "ok" for line in rights):
            yield from signals.judge(configuration.settings, None)
            return
        there = streams.look(configuration, admin, self._clock.time_ns())
        yield from streams.judge(configuration, there)
        yield from signals.judge(configuration.settings, there)
        yield from self._guarded("provisioning", self._provisioning(configuration, admin, rules))

    def _provisioning(
        self, configuration: Configuration, admin: Server, rules: Sequence[AlertRule]
    ) -> Iterator[Line]:
        yield from provisioning.judge(provisioning.look(configuration, admin, rules))

    def _processes(self, configuration: Configuration) -> Iterator[Line]:
        yield from processes.judge(processes.look(configuration), self._clock.time_ns() // 1000)

    def _files(self, configuration: Configuration) -> Iterator[Line]:
        yield from files.judge_spool(configuration, files.spool(configuration))
        for cache in files.caches(self.settings):
            yield files.judge_directory("cache", cache, "CQRS_SWR_DIR")

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time_ns() / 1e9, UTC)


def _told(setting: Setting) -> str:
    other = f" (from {setting.source})" if setting.source != setting.variable else ""
    return f"{setting.variable}={setting.value}{other}"


def examine_server(configuration: Configuration, client: server.Asking, now: datetime) -> list[Line]:
    """Tell whether what answers is an OpenObserve whose clock agrees with ours.

    Args:
        configuration: where it should be.
        client: of the server.
        now: wall-clock time, with time zone.
    """
    endpoint = configuration.endpoint
    if not endpoint.prefix:
        return server.judge(configuration, server.look(client, None, now))
    root = attrs.evolve(configuration, endpoint=attrs.evolve(endpoint, prefix=""))
    at_root = client_of(root, configuration.admin)
    try:
        return server.judge(configuration, server.look(client, at_root, now))
    finally:
        at_root.close()
