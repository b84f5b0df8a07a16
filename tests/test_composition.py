import pytest

from cqrs.composition import refuse
from cqrs.problems import Code, CompositionError, Problem


def test_no_problems_refuse_nothing() -> None:
    """An empty list of problems lets the app start; any problem raises with all of them."""
    refuse(())
    problem = Problem(Code.NOT_ASYNC, "not async.", "write async def.")

    with pytest.raises(CompositionError) as refused:
        refuse((problem, problem))

    assert refused.value.problems == (problem, problem)
