import attrs
import pytest

from cqrs.letters import DeadLetter, LetterFilter, StoredEvent

LETTER = DeadLetter(StoredEvent("{}"), "shop.Placed", "send", "a")


def test_letters_have_identities_of_their_own() -> None:
    """Two letters of the same event are told apart."""
    assert attrs.evolve(LETTER, id="1") == attrs.evolve(LETTER, id="1")
    assert (
        DeadLetter(LETTER.event, "shop.Placed", "send").id
        != DeadLetter(LETTER.event, "shop.Placed", "send").id
    )


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (LetterFilter(), True),
        (LetterFilter(id=LETTER.id), True),
        (LetterFilter(subscriber="send", sequence="a", type_id="shop.Placed"), True),
        (LetterFilter(id="other"), False),
        (LetterFilter(subscriber="bill"), False),
        (LetterFilter(sequence="b"), False),
        (LetterFilter(sequence="a", type_id="shop.Paid"), False),
    ],
)
def test_a_filter_goes_by_everything_that_it_names(wanted: LetterFilter, *, matches: bool) -> None:
    """What it does not name does not matter."""
    assert wanted.matches(LETTER) is matches
