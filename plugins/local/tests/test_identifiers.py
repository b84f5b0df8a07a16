"""Ids."""

from cqrs_local.identifiers import KSUID_LENGTH, decoded_bytes, ksuid, snowflake


def test_ids_have_the_forms_of_the_server_and_do_not_repeat() -> None:
    """27 letters and digits; 19 digits."""
    ksuids, snowflakes = {ksuid() for _ in range(1000)}, {snowflake() for _ in range(1000)}

    assert {(len(each), each.isalnum()) for each in ksuids} == {(KSUID_LENGTH, True)}
    assert {(len(each), each.isdecimal()) for each in snowflakes} == {(19, True)}
    assert (len(ksuids), len(snowflakes)) == (1000, 1000)


def test_a_text_as_an_id_has_a_length_in_bytes() -> None:
    """What 0.16 says of an id that is none."""
    assert (decoded_bytes("nosuch"), decoded_bytes(ksuid())) == (5, 20)
