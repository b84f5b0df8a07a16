"""Normalising is idempotent and gives only what the server accepts."""

import re

from cqrs_openobserve.names import field_name, stream_name
from hypothesis import given
from hypothesis import strategies as st


@given(st.text())
def test_a_normal_stream_name_is_its_own(text: str) -> None:
    """What the server made of a name, it makes of it again."""
    name = stream_name(text)
    assert stream_name(name) == name
    assert re.fullmatch(r"[a-z0-9_:]*", name)
    assert "__" not in stream_name(re.sub("_", "-", text))


@given(st.text())
def test_a_normal_field_name_is_its_own(text: str) -> None:
    """The same for fields, which also keep their length where lower-casing does."""
    name = field_name(text)
    assert field_name(name) == name
    assert len(name) == len(text.lower())
