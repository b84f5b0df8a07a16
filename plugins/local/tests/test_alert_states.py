"""When an alert is evaluated, and whether it fires."""

import pytest
from cqrs_local.alert_states import MINUTE, Evaluation, fires, is_due, most_rows, state_after, window

NOW = 1_800_000_000_000_000


def rule(**trigger: object) -> dict[str, object]:
    condition = {"period": 5, "operator": ">=", "threshold": 1, "frequency": 2, "silence": 10, **trigger}
    return {"enabled": True, "trigger_condition": condition}


@pytest.mark.parametrize(
    ("operator", "fired"),
    [("=", [False, True, False]), ("!=", [True, False, True]), (">", [False, False, True]),
     (">=", [False, True, True]), ("<", [True, False, False]), ("<=", [True, True, False])],
)  # fmt: skip
def test_the_number_of_rows_is_compared(operator: str, fired: list[bool]) -> None:
    """Not a value in them."""
    assert [fires(rule(operator=operator, threshold=1), rows) for rows in (0, 1, 2)] == fired


def test_a_new_alert_is_due_at_once_a_disabled_one_never() -> None:
    """Then every `frequency` minutes."""
    assert is_due(rule(), {}, NOW)
    assert not is_due({**rule(), "enabled": False}, {}, NOW)
    state = state_after(rule(), {}, Evaluation(NOW))
    assert not is_due(rule(), state, NOW + 2 * MINUTE - 1)
    assert is_due(rule(), state, NOW + 2 * MINUTE)


def test_a_delivered_message_begins_the_silence() -> None:
    """One that was not delivered is tried again as soon as the rule is due."""
    delivered = state_after(rule(), {}, Evaluation(NOW, [{"n": 1}], fired=True, delivered=True))
    lost = state_after(rule(), {}, Evaluation(NOW, [{"n": 1}], fired=True, delivered=False, error="refused"))

    assert (delivered["next_at"], lost["next_at"]) == (NOW + 10 * MINUTE, NOW + 2 * MINUTE)
    assert (delivered["value"], delivered["firing"], lost["error"]) == ({"n": 1}, True, "refused")


def test_the_past_is_remembered_within_bounds() -> None:
    """When it last fired outlives the evaluations since."""
    state = state_after(rule(), {}, Evaluation(NOW, [{"n": 1}], fired=True, delivered=True))
    for at in range(100):
        state = state_after(rule(), state, Evaluation(NOW + at + 1))

    assert (state["last_satisfied_at"], state["last_triggered_at"]) == (NOW, NOW + 100)
    assert len(state["history"]) == 60  # type: ignore[arg-type]  # a list


def test_the_window_and_the_rows_asked_for() -> None:
    """The period before now; at least 100 rows, or as many as the threshold needs."""
    assert window(rule(), NOW) == (NOW - 5 * MINUTE, NOW)
    assert (most_rows(rule()), most_rows(rule(threshold=500))) == (100, 500)
