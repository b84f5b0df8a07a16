from collections.abc import Iterable

import attrs
import pytest

from cqrs.plugin_order import ordered, unmet
from cqrs.plugins import LoadedPlugin, Plugin


def loaded(name: str, *, requires: Iterable[str] = (), after: Iterable[str] = ()) -> LoadedPlugin:
    kind = type("Named", (Plugin,), {"requires": tuple(requires), "after": tuple(after)})
    return LoadedPlugin(name, f"shop-{name}", "1.0", "active", plugin=kind())


def names(plugins: Iterable[LoadedPlugin]) -> list[str]:
    return [plugin.name for plugin in plugins]


def test_plugins_that_say_nothing_stay_as_they_are() -> None:
    """Without `requires` and `after` the order is the one given."""
    assert names(ordered([loaded("b"), loaded("a"), loaded("c")])) == ["b", "a", "c"]


@pytest.mark.parametrize("relation", ["requires", "after"])
def test_a_plugin_comes_after_those_that_it_names(relation: str) -> None:
    """`requires` and `after` order alike; the others keep their order around it."""
    plugins = [loaded("a", **{relation: ["c"]}), loaded("b"), loaded("c", **{relation: ["d"]}), loaded("d")]

    order = names(ordered(plugins))

    assert order == ["b", "d", "c", "a"]


def test_a_name_that_is_not_there_orders_nothing() -> None:
    """Whether a missing plugin matters is not a matter of order."""
    assert names(ordered([loaded("a", after=["z"], requires=["y"]), loaded("b")])) == ["a", "b"]


def test_those_of_a_circle_fail_and_no_others() -> None:
    """Each member is told with the way round; who only points into the circle, or stands beside it, is not."""
    plugins = [
        loaded("a", requires=["b"]), loaded("b", after=["c"]), loaded("c", requires=["a"]),
        loaded("d", requires=["a"]), loaded("e"), loaded("f", after=["f"]),
    ]  # fmt: skip

    done = {plugin.name: plugin for plugin in ordered(plugins)}

    assert {name: plugin.state for name, plugin in done.items()} == {
        "a": "failed", "b": "failed", "c": "failed", "d": "active", "e": "active", "f": "failed",
    }  # fmt: skip
    assert done["a"].reason == "it has to come after itself: a → b → c → a."
    assert done["b"].reason == "it has to come after itself: b → c → a → b."
    assert done["f"].reason == "it has to come after itself: f → f."
    assert done["a"].problem is not None
    assert done["a"].problem.stage == "order"
    assert "CQRS_PLUGINS_DISABLED=a" in done["a"].problem.hint


def test_two_plugins_of_one_name_are_both_kept() -> None:
    """Two instances of one plugin, given in code, are two; who names them comes after both."""
    order = ordered([loaded("audit", requires=["twin"]), loaded("twin"), loaded("twin")])

    assert names(order) == ["twin", "twin", "audit"]


def test_a_plugin_that_does_not_run_orders_nothing() -> None:
    """One that failed before has no say."""
    failed = loaded("a", requires=["b"]).failed("load", "broken.", "mend it.")

    assert names(ordered([failed, loaded("b", requires=["a"])])) == ["a", "b"]


def test_what_a_plugin_needs_is_told_with_its_state() -> None:
    """A plugin that is missing, off or failed is named with why; one that runs is nothing to tell."""
    needing = loaded("a", requires=["b", "c"])
    b, c = loaded("b"), loaded("c")
    off = attrs.evolve(c, state="off", reason="none of its required settings is set")

    assert unmet(needing, [b, c]) == ""
    assert unmet(needing, [b]) == "it needs the plugin c, which is not there."
    assert (
        unmet(needing, [b, off])
        == "it needs the plugin c, which is off: none of its required settings is set."
    )
    assert (
        unmet(needing, [b.failed("load", "no httpx.", "")])
        == "it needs the plugin b, which is failed: no httpx."
    )
