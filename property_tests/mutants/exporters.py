"""Wrong exporters: the plugin's own, with one thing in it done otherwise."""

from typing import Any

from cqrs_openobserve.answers import Answer, Meaning
from cqrs_openobserve.testing.exporter_laws import EXPORTER_LAWS
from cqrs_openobserve.testing.own_subjects import own_exporter

from property_tests.mutants.mutant import Mutant, Suite, replaced

DELIVERY = "cqrs_openobserve.delivery.Delivery."
SPOOL = "cqrs_openobserve.spool.Spool."
QUEUE = "cqrs_openobserve.observations.ObservationQueue."
SETTLED = "cqrs_openobserve.ledger.Settled."
EXPORTER = "cqrs_openobserve.exporter."


def mutant(name: str, killed_by: str, target: str, make: Any) -> Mutant:
    return Mutant(name, killed_by, own_exporter(), replaced(target, make))


def forgets(reason: str) -> Any:
    def make(drop: Any) -> Any:
        return lambda settled, why, records: None if why == reason else drop(settled, why, records)

    return make


def refused_is_delivered(parts: Any) -> Any:
    def taken_apart(self: Any, parcel: Any, payload: Any) -> Any:
        if parcel.records == 1:
            self._remove(parcel)
            self.settled.deliver(1)
            return []
        return parts(self, parcel, payload)

    return taken_apart


def whole_batch_goes(_parts: Any) -> Any:
    def dropped(self: Any, parcel: Any, payload: Any) -> Any:
        del payload
        self.lost(parcel, "rejected_record")
        return []

    return dropped


def again_for_ever(_again: Any) -> Any:
    return lambda *_: None


def poison_for_ever(_split: Any) -> Any:
    return lambda *_: None


def gives_up(apply: Any) -> Any:
    def applied(self: Any, parcel: Any, payload: Any, meant: Any) -> None:
        if meant.action in {"wait", "blocked"}:
            self.lost(parcel, "unaccounted")
        else:
            apply(self, parcel, payload, meant)

    return applied


def sends_twice(remove: Any) -> Any:
    def kept(self: Any, parcel: Any) -> bool:
        if parcel.refusals == 0 and self.breaker.failures == 0:
            parcel.refusals = 1
            self.settled.delivered -= parcel.records
            return False
        return bool(remove(self, parcel))

    return kept


def not_what_is_on_the_wire(to_park: Any) -> Any:
    def most(self: Any, now: int, *, everything: bool = False) -> Any:
        found = to_park(self, now, everything=everything)
        return found[1:]

    return most


def silent_about_doubt(answered: Any) -> Any:
    def taken(self: Any, parcel: Any, payload: Any, meant: Any, now: int) -> None:
        before = self.settled.ambiguous
        answered(self, parcel, payload, meant, now)
        self.settled.ambiguous = before

    return taken


def keeps_files(_remove: Any) -> Any:
    return lambda *_: None


def never_adopts(_adopt: Any) -> Any:
    return lambda *_: list[object]()


def one_more_for_a_large_batch(_accept: Any) -> Any:
    def accept(self: Any, records: int, *, adopted: bool = False) -> None:
        del adopted
        self.accepted += records + (1 if records > 5 else 0)

    return accept


def without_a_bound(_offer: Any) -> Any:
    return lambda self, observation: self.successes.append(observation)


def believed_whole(_meaning: Any) -> Any:
    def believe(answer: Any, sent: int, *_: Any, **__: Any) -> Any:
        stored = isinstance(answer, Answer) and answer.status == 200
        return Meaning("settle", sent) if stored else _meaning(answer, sent, *_, **__)

    return believe


def left_to_the_sender(_redact: Any) -> Any:
    return lambda text, most=8192: text[:most]


EXPORTERS = Suite(
    "exporter",
    EXPORTER_LAWS,
    (own_exporter(),),
    (
        mutant("forgets a reason", "books_balance", SETTLED + "drop", forgets("unaccounted")),
        mutant(
            "accepts what nobody offered", "books_balance", SETTLED + "accept", one_more_for_a_large_batch
        ),
        mutant("gives up in an outage", "outages_lose_nothing", DELIVERY + "_apply", gives_up),
        mutant(
            "counts what was refused as delivered",
            "delivered_means_acknowledged",
            DELIVERY + "_parts",
            refused_is_delivered,
        ),
        mutant(
            "does not tell what may be stored twice",
            "nothing_twice_in_secret",
            DELIVERY + "answered",
            silent_about_doubt,
        ),
        mutant(
            "sends what was taken once more", "nothing_twice_in_secret", DELIVERY + "_remove", sends_twice
        ),
        mutant(
            "drops the batch with the bad record", "poison_costs_one", DELIVERY + "_parts", whole_batch_goes
        ),
        mutant("sends a poisoned batch for ever", "poison_costs_one", DELIVERY + "_split", poison_for_ever),
        mutant("believes a server that counts nothing", "silence_ends", EXPORTER + "meaning", believed_whole),
        mutant("asks a silent server for ever", "silence_ends", DELIVERY + "_again", again_for_ever),
        mutant("holds more than it has room for", "memory_is_bounded", QUEUE + "offer", without_a_bound),
        mutant(
            "loses what is on the wire at the end",
            "the_next_process_sends_the_rest",
            DELIVERY + "to_park",
            not_what_is_on_the_wire,
        ),
        mutant(
            "leaves files of what was delivered",
            "the_next_process_sends_the_rest",
            SPOOL + "remove",
            keeps_files,
        ),
        mutant("never adopts", "the_next_process_sends_the_rest", SPOOL + "adopt", never_adopts),
        mutant(
            "masks only when it sends",
            "masks_before_it_keeps",
            "cqrs_openobserve.wire_forms.redact",
            left_to_the_sender,
        ),
    ),
)
