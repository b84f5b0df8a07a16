from cqrs_local.sql_text import literal, quoted


def test_quotes_inside_are_doubled() -> None:
    """So that a name or a text cannot end early."""
    assert (literal("it's"), quoted('a"b')) == ("'it''s'", '"a""b"')
