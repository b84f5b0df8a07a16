"""What lives for one message: dependencies that are made for each attempt of a handler, and only for those who ask."""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeGuard, cast, final

import attrs

from cqrs.context import Emit, MessageContext
from cqrs.faults import Stage
from cqrs.messages import AnyResult
from cqrs.registry import Call
from cqrs.unit_of_work import EmitBuffer

# What exists once per message without being provided by a feature.
PER_MESSAGE: Final[frozenset[object]] = frozenset({Emit, MessageContext})


@final
@attrs.frozen(eq=False)
class Recipe:
    """How something is called with its dependencies.

    Attributes:
        target: a factory, a handler class or a handler function.
        constants: arguments that are the same for every message.
        wanted: the service of each argument that lives for one message.
    """

    target: Callable[..., object]
    constants: Mapping[str, object]
    wanted: Mapping[str, object]

    def call(self, values: Mapping[object, object], *arguments: object) -> object:
        """Call it.

        Args:
            values: what lives for this message, by service.
            arguments: what comes before the dependencies.
        """
        return self.target(
            *arguments, **self.constants, **{name: values[key] for name, key in self.wanted.items()}
        )


@final
@attrs.frozen(eq=False)
class Step:
    """One dependency that is made for each attempt.

    Attributes:
        service: the type that is asked for.
        recipe: how it is made.
    """

    service: object
    recipe: Recipe


@final
@attrs.frozen(eq=False)
class Scoped:
    """A handler with dependencies that live for one message.

    Attributes:
        recipe: how the handler is called; a class is made for each attempt.
        steps: what is made before, in the order of dependency.
        emits: whether it, or one of its dependencies, emits events.
    """

    recipe: Recipe
    steps: tuple[Step, ...]
    emits: bool

    def start(self, message: object, attempt: "Attempt") -> Coroutine[Any, Any, AnyResult]:
        """Call the handler.

        Args:
            message: the message.
            attempt: what lives for it.
        """
        if isinstance(self.recipe.target, type):
            return cast("Call", self.recipe.call(attempt.values))(message)
        return cast("Coroutine[Any, Any, AnyResult]", self.recipe.call(attempt.values, message))


@final
class Attempt:
    """What lives while a handler tries to answer one message.

    Attributes:
        values: what was made, by service.
        stage: how far it came.
        buffer: what it emits, if it does.
    """

    __slots__ = ("buffer", "stage", "values")

    def __init__(self, buffer: EmitBuffer | None, context: MessageContext | None) -> None:
        self.values: dict[object, object] = {Emit: buffer, MessageContext: context}
        self.buffer: EmitBuffer | None = buffer
        self.stage: Stage = "dependency"


def opens(made: object) -> TypeGuard[AbstractAsyncContextManager[object]]:
    """Tell whether a dependency is entered before use and left afterwards.

    Locks and semaphores are not: entering one would take it.

    Args:
        made: what a factory gave.
    """
    kind = type(made)
    if not (hasattr(kind, "__aenter__") and hasattr(kind, "__aexit__")):
        return False
    lock = hasattr(kind, "acquire") and hasattr(kind, "release")
    return not (lock and kind.__module__.partition(".")[0] in {"asyncio", "anyio", "trio"})


def ready(made: object) -> object:
    """Give what a factory made, if it can be used as it is.

    Args:
        made: what the factory gave.

    Raises:
        TypeError: if it has to be awaited or iterated first.
    """
    if inspect.iscoroutine(made):
        made.close()  # it will never be awaited, and need not warn of that too
    if inspect.iscoroutine(made) or inspect.isasyncgen(made) or inspect.isgenerator(made):
        raise TypeError(
            "its factory is async or a generator: @asynccontextmanager makes it one that opens and closes"
        )
    plain = hasattr(made, "__enter__") and not hasattr(made, "__aenter__")
    if plain and type(made).__module__ == "contextlib":
        raise TypeError(
            "its factory is a @contextmanager: write it as an async one, with @asynccontextmanager"
        )
    return made
