"""Random graphs of dependencies and features: everything that is wrong is found, and nothing else."""

from collections.abc import Mapping
from typing import Any

import punq
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from cqrs import Command, CqrsModule, Feature
from cqrs.features import flatten
from cqrs.problems import Code

MOST = 8

graphs = st.integers(1, MOST).flatmap(
    lambda size: st.tuples(
        st.lists(st.sets(st.integers(0, size - 1), max_size=4), min_size=size, max_size=size),
        st.lists(st.sampled_from(["punq", "feature", "missing"]), min_size=size, max_size=size),
        st.sets(st.integers(0, size - 1), min_size=1, max_size=3),
    )
)


class Ask(Command[int, str]):
    """A command."""


def needing(types: list[type]) -> Any:
    def init(self: Any, **needs: Any) -> None:
        self.needs = needs

    names = {f"p{number}": each for number, each in enumerate(types)}
    scope: dict[str, Any] = {"keep": init}
    exec(
        f"def __init__(self{''.join(f', {n}' for n in names)}): keep(self, **dict({', '.join(f'{n}={n}' for n in names)}))",
        scope,
    )
    made = scope["__init__"]
    made.__annotations__ = names
    return made


def reachable(needs: list[set[int]], makers: list[str], roots: set[int]) -> set[int]:
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting.extend(needs[node] if makers[node] != "missing" else ())
    return seen


def has_cycle(needs: list[set[int]], nodes: set[int]) -> bool:
    left = {node: needs[node] & nodes for node in nodes}
    while free := [node for node, of in left.items() if not of]:
        for node in free:
            del left[node]
        left = {node: of - set(free) for node, of in left.items()}
    return bool(left)


@given(graphs)
def test_every_missing_type_and_every_cycle_is_found_and_nothing_else(
    graph: tuple[list[set[int]], list[str], set[int]],
) -> None:
    """The types told as missing are those that are needed and nothing makes; a cycle is told iff there is one."""
    needs, makers, roots = graph
    types = [type(f"T{number}", (), {}) for number in range(len(needs))]
    for each, of in zip(types, needs, strict=True):
        each.__init__ = needing([types[n] for n in sorted(of)])  # type: ignore[misc]  # what no checker follows is tried on purpose
    container, feature = punq.Container(), Feature("graph")
    for each, maker in zip(types, makers, strict=True):
        if maker == "punq":
            container.register(each)
        elif maker == "feature":
            feature.provides(each)

    async def handler(_command: Ask, **_needs: Any) -> Result[int, str]:
        return Success(1)

    class Handler:
        __init__ = needing([types[root] for root in sorted(roots)])

        async def __call__(self, _command: Ask) -> Result[int, str]:
            return Success(1)

    feature.handles(Ask)(Handler)
    provided = {
        node for node, maker in enumerate(makers) if maker == "feature"
    }  # made though nobody asks for it
    within = reachable(needs, makers, roots | provided)
    missing = {f"T{node}" for node in within if makers[node] == "missing"}
    cyclic = has_cycle(needs, {node for node in within if makers[node] != "missing"})

    checked = CqrsModule.for_root(feature, container=container, plugins=(), env={}).check()

    problems = checked.failure() if isinstance(checked, Failure) else ()
    told = {p.text.rpartition(" for ")[2].rstrip(".") for p in problems if p.code is Code.MISSING_DEPENDENCY}
    assert told == missing
    assert any(p.code is Code.CYCLIC_DEPENDENCY for p in problems) is cyclic
    assert {p.code for p in problems} <= {Code.MISSING_DEPENDENCY, Code.CYCLIC_DEPENDENCY}


@given(graphs)
async def test_what_is_checked_as_sound_starts(graph: tuple[list[set[int]], list[str], set[int]]) -> None:
    """An app whose check finds nothing can be entered, and every dependency is there."""
    needs, makers, roots = graph
    types = [type(f"T{number}", (), {}) for number in range(len(needs))]
    for node, (each, of) in enumerate(zip(types, needs, strict=True)):
        each.__init__ = needing([types[n] for n in sorted(of) if n < node])  # type: ignore[misc]  # what no checker follows is tried on purpose
    container, feature = punq.Container(), Feature("graph")
    for each, maker in zip(types, makers, strict=True):
        if maker == "punq":
            container.register(each, scope=punq.Scope.singleton)
        else:
            feature.provides(each)

    class Handler:
        __init__ = needing([types[root] for root in sorted(roots)])

        async def __call__(self, _command: Ask) -> Result[Any, str]:
            return Success(self)

    feature.handles(Ask)(Handler)
    async with CqrsModule.for_root(feature, container=container, plugins=(), env={}) as bus:
        made = (await bus.commands.execute(Ask())).unwrap()
        assert [type(each) for each in made.needs.values()] == [types[root] for root in sorted(roots)]
        one_each: dict[type, object] = {}
        waiting: list[Any] = list(made.needs.values())
        while waiting:
            instance = waiting.pop()
            assert one_each.setdefault(type(instance), instance) is instance
            waiting.extend(instance.needs.values())


@given(
    st.integers(1, MOST).flatmap(lambda n: st.lists(st.lists(st.integers(0, n - 1)), min_size=n, max_size=n))
)
def test_features_are_flattened_each_once(imports: list[list[int]]) -> None:
    """Any graph of imports, rings included, is walked to its end; all that is reachable stands in it once."""
    features = [Feature(str(number)) for number in range(len(imports))]
    for feature, of in zip(features, imports, strict=True):
        feature.imports(*(features[number] for number in of))

    flat = flatten((features[0],))

    assert len(flat) == len(set(map(id, flat)))
    assert {int(f.name) for f in flat} == _reached(dict(enumerate(imports)), 0)
    assert flat[-1] is features[0]


def _reached(imports: Mapping[int, list[int]], start: int) -> set[int]:
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        if (node := waiting.pop()) not in seen:
            seen.add(node)
            waiting.extend(imports[node])
    return seen
