"""What a setting's text may be."""

from collections.abc import Callable

import pytest
from cqrs_openobserve import setting_rules

from cqrs.settings import Invalid


@pytest.mark.parametrize(
    ("rule", "raw", "value"),
    [
        (setting_rules.organization, "my-org_1.a", "my-org_1.a"),
        (setting_rules.stream, "cqrs-commands", "cqrs-commands"),
        (setting_rules.proxy, "http://proxy:3128", "http://proxy:3128"),
        (setting_rules.directory, "/var/lib/x", "/var/lib/x"),
        (setting_rules.directory, "NONE", "none"),
        (setting_rules.size, "1MiB", 1024 * 1024),
        (setting_rules.size, "2 gib", 2 * 1024**3),
        (setting_rules.attributes, "a=1, b=x%20y,", {"a": "1", "b": "x y"}),
    ],
)
def test_what_is_taken(rule: Callable[[str], object], raw: str, value: object) -> None:
    """As it is meant."""
    assert rule(raw) == value


@pytest.mark.parametrize(
    ("rule", "raw"),
    [
        (setting_rules.organization, "../x"),
        (setting_rules.organization, "a/b"),
        (setting_rules.stream, "1x"),
        (setting_rules.stream, "a?b"),
        (setting_rules.proxy, "socks5://h:1"),
        (setting_rules.directory, "relative/x"),
        (setting_rules.size, "10"),
        (setting_rules.size, "1e9"),
        (setting_rules.attributes, "a"),
        (setting_rules.attributes, "=1"),
    ],
)
def test_what_is_refused(rule: Callable[[str], object], raw: str) -> None:
    """With a rule that can be followed."""
    with pytest.raises(Invalid):
        rule(raw)
