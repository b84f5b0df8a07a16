"""Wrong exporters on threads: the plugin's own, with one thing in it done otherwise."""

from typing import Any

from cqrs_openobserve.answers import Answer, Meaning
from cqrs_openobserve.testing import RUNNING_LAWS, own_running_exporter

from property_tests.mutants.mutant import Mutant, Suite, replaced, together

EXPORTER = "cqrs_openobserve.exporter."
QUEUE = "cqrs_openobserve.observations.ObservationQueue."


def mutant(name: str, killed_by: str, *changes: Any) -> Mutant:
    return Mutant(name, killed_by, own_running_exporter(), together(*changes))


def nothing(_right: Any) -> Any:
    return lambda *_, **__: None


def without_a_limit(join: Any) -> Any:
    return lambda crew, name, _seconds: join(crew, name, 60)


def only_counts_anew(_reset: Any) -> Any:
    def reset(self: Any) -> None:
        self.trigger, self.taken = 0, (0, 0)

    return reset


def any_2xx_delivers(meaning: Any) -> Any:
    def believe(answer: Any, sent: int, *rest: Any, **more: Any) -> Any:
        good = isinstance(answer, Answer) and answer.status < 300
        return Meaning("settle", sent) if good else meaning(answer, sent, *rest, **more)

    return believe


RUNNING_EXPORTERS = Suite(
    "running exporter",
    RUNNING_LAWS,
    (own_running_exporter(),),
    (
        mutant(
            "takes any 2xx for delivered",
            "a_row_costs_what_it_says",
            replaced(EXPORTER + "meaning", any_2xx_delivers),
        ),
        mutant(
            "waits for an answer at its end",
            "stop_ends_in_time",
            replaced("cqrs_openobserve.deadline.Deadline.limit", nothing),
            replaced("cqrs_openobserve.crew.Crew.join", without_a_limit),
        ),
        mutant(
            "leaves what waits where it is",
            "stop_closes_the_books",
            replaced(EXPORTER + "Exporter.give_up", nothing),
            replaced(EXPORTER + "Exporter.park", nothing),
        ),
        mutant("takes records after stop", "stop_closes_the_books", replaced(QUEUE + "close", nothing)),
        mutant(
            "sends its parent's records after a fork",
            "a_fork_sends_nothing_twice",
            replaced(QUEUE + "reset", only_counts_anew),
        ),
    ),
    examples=10,
)
