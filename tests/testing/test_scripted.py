"""Handlers that do what an example says."""

from typing import Any

import pytest
from returns.result import Failure, Success

from cqrs import CqrsModule, Feature
from cqrs.faults import ContractBroken, HandlerCrashed, HandlerNotFound
from cqrs.testing.handler_laws import dispatch
from cqrs.testing.scripted import MESSAGES, First, Happened, No, answer_of, scripted, shape

BEHAVIOURS: list[Any] = ["success", "failure", "rejection", "crash", "junk", "nested"]


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("message", MESSAGES)
async def test_an_answer_is_what_the_model_says(message: Any, behaviour: Any) -> None:
    """Played through an app, each behaviour comes to what is expected of it, and the message is written down."""
    heard: list[object] = []
    feature = Feature("scripted")
    feature.handles(message)(scripted(behaviour, heard))
    async with CqrsModule.for_root(feature, plugins=(), env={}) as app:
        (answer,) = await dispatch(app, message(7))

    assert shape(answer) == answer_of(behaviour, 7)
    assert heard == [message(7)]


async def test_a_subscriber_may_give_up() -> None:
    """A cancellation of its own is its own failure."""
    feature = Feature("scripted")
    feature.subscribes(Happened)(scripted("gives up", []))
    async with CqrsModule.for_root(feature, plugins=(), env={}) as app:
        (answer,) = await dispatch(app, Happened(7))

    assert shape(answer) == answer_of("gives up", 7) == HandlerCrashed


def test_what_is_expected_tells_behaviours_apart() -> None:
    """No two kinds of answer look alike."""
    assert answer_of(None, 1) is HandlerNotFound
    assert answer_of("success", 1) == Success(1)
    assert answer_of("failure", 1) == Failure(1)
    assert answer_of("rejection", 1) == Failure(No(1))
    assert answer_of("junk", 1) is ContractBroken
    assert shape(Failure(First(1))) == Failure(First(1))
