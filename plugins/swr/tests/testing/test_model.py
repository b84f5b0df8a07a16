from cqrs_swr.freshness import Windows
from cqrs_swr.testing.model import Held, Invalidated, Model, Run

WINDOWS = Windows(4.0, 4.0, 16.0)
KEY = ("a", 0)


def model_with(ending: str = "success") -> Model:
    """A model in which process 0 has computed once."""
    model = Model(WINDOWS, 2.0)
    model.step = 1
    run = Run(1, 0, KEY, 1, 0.0, is_flight=True)
    model.flights[0][KEY] = run
    model.end(run, ending, 0.0, 0.5)  # type: ignore[arg-type]  # one of the endings
    return model


def test_the_phases_follow_one_another() -> None:
    """Each ends where the next begins."""
    model, phases = model_with(), []
    for now in (0.0, 3.9, 4.0, 7.9, 8.0, 19.9, 20.0):
        model.now = now
        phases.append(model.phase(model.held[0][KEY]))

    assert phases == ["fresh", "fresh", "stale", "stale", "error_only", "error_only", "absent"]


def test_an_answer_is_held_as_nothing_to_serve() -> None:
    """And a negative one for its own time."""
    negative = model_with("negative")
    assert negative.phase(negative.held[0][KEY]) == "fresh"
    negative.now = 2.0
    assert negative.phase(negative.held[0][KEY]) == "absent"
    answered = model_with("answer")

    assert answered.phase(answered.held[0][KEY]) == "absent"


def test_the_other_process_takes_over_what_is_shared() -> None:
    """Unless it was made invalid."""
    model = model_with()
    assert model.look(1, KEY).serves is model.held[1][KEY]
    model.held[1].clear()
    model.step = 2
    model.invalidated.append(Invalidated(2, frozenset((KEY,)), "remove"))

    assert model.look(1, KEY).serves is None


def test_a_failure_that_will_pass_moves_the_next_refresh() -> None:
    """And nothing else."""
    model = model_with()
    run = Run(2, 0, KEY, 2, 5.0, is_flight=True)
    model.now = 5.0
    model.flights[0][KEY] = run
    model.end(run, "transient", 0.0, 0.5)
    held: Held = model.held[0][KEY]

    assert (held.run.number, held.failures, held.next_refresh) == (1, 1, 5.5)
