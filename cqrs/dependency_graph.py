"""Who needs what: every dependency that is missing, ambiguous, cyclic or captive, found before anything is made."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import final

import attrs
from returns.result import Failure, Result

from cqrs.context import Emit
from cqrs.dependency_problems import Asked, captive, cyclic, emitting_query, label, missing
from cqrs.problems import Problem
from cqrs.registry import Entry
from cqrs.signatures import Parameter, injected

# What something needs, None if nobody knows it, or why it cannot be told.
Needs = Callable[[Asked], Result[tuple[Parameter, ...] | None, Problem]]


@final
@attrs.frozen(eq=False)
class Examination:
    """What the handlers of an app need.

    Attributes:
        problems: what is wrong with it.
        reached: by handler, everything that it needs, directly or not.
    """

    problems: tuple[Problem, ...]
    reached: Mapping[Entry, frozenset[object]]

    def asks(self, service: object) -> bool:
        """Tell whether any handler needs a service.

        Args:
            service: the type.
        """
        return any(service in services for services in self.reached.values())


@final
@attrs.frozen(eq=False)
class Graph:
    """The dependencies of an app.

    Attributes:
        needs: tells what a service needs.
        per_message: tells whether a service lives for one message only.
    """

    needs: Needs
    per_message: Callable[[object], bool]

    def examine(self, entries: Iterable[Entry], provided: Mapping[object, str]) -> Examination:
        """Follow every dependency of every handler, and of what is provided though no handler asks for it.

        Args:
            entries: the handlers and subscribers.
            provided: the services that are made, each with ``file:line`` of what makes it.
        """
        problems: list[Problem] = []
        reached: dict[Entry, frozenset[object]] = {}
        for entry in entries:
            services: set[object] = set()
            problems.extend(self._of(entry, services))
            reached[entry] = frozenset(services)
        traced = {service for services in reached.values() for service in services}
        for service, place in provided.items():
            if service not in traced:
                asked = Asked(service, (f"provides({label(service)})",), (None,), place)
                problems.extend(self._trace(asked, Parameter("", service, optional=False), traced))
        return Examination(tuple(problems), reached)

    def _of(self, entry: Entry, services: set[object]) -> Iterator[Problem]:
        wanted = wanted_by(entry)
        if isinstance(wanted, Failure):
            yield wanted.failure()
            return
        asked = Asked(None, (entry.info.handler,), (), entry.info.place)
        for parameter in wanted.unwrap():
            yield from self._trace(asked.needs(parameter), parameter, services)
        if entry.info.kind == "query" and Emit in services:
            yield emitting_query(entry.info.handler, entry.info.place)

    def _trace(self, asked: Asked, asking: Parameter, traced: set[object]) -> Iterator[Problem]:
        if asked.service in asked.trail:
            yield cyclic(asked)
            return
        holder = asked.trail[-1]
        if holder is not None and not self.per_message(holder) and self.per_message(asked.service):
            yield captive(asked)
        if asked.service in traced:
            return
        found = self.needs(asked)
        if isinstance(found, Failure):
            traced.add(asked.service)
            yield found.failure()
        elif (needs := found.unwrap()) is not None:
            for parameter in needs:
                yield from self._trace(asked.needs(parameter), parameter, traced)
            # Once per handler: a graph of diamonds has more paths than can be walked.
            traced.add(asked.service)
        elif not asking.optional:
            yield missing(asked)


def wanted_by(entry: Entry) -> Result[tuple[Parameter, ...], Problem]:
    """Read what a handler asks for: a function with its parameters, a class with those of its constructor.

    Args:
        entry: the handler.
    """
    return injected(entry.handler, takes_message=not isinstance(entry.handler, type))
