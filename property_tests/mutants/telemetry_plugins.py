"""Wrong plugins that send what they see: the results of a program depend on what becomes of telemetry."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from cqrs_openobserve import OpenObserve, Telemetry
from cqrs_openobserve.testing import TRANSPARENCY_LAWS, TransparencySubject, own_plugin
from returns.result import Failure, Result, Success

from cqrs import HandlerInfo, Next, Problem
from cqrs.plugins import Plugin, PluginBuilder
from property_tests.mutants.mutant import Mutant, Suite

RIGHT = own_plugin()


class Meddling(Plugin):
    """Looks at telemetry after each dispatch, and lets what it sees decide."""

    name: ClassVar[str] = "openobserve"

    def __init__(self, inner: OpenObserve) -> None:
        self.inner = inner

    def configure(self, builder: PluginBuilder, /) -> Result[None, tuple[Problem, ...]]:
        """Be the right one, with a middleware around every command."""
        configured = self.inner.configure(builder)
        builder.wrap_commands(self.around, "outside")
        return configured

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """Live as the right one."""
        return self.inner.lifespan()

    def around(self, next: Next, handler: HandlerInfo) -> Next:
        """Fail if the record of the dispatch could not be delivered."""
        del handler

        async def call(message: Any) -> Any:
            result = await next(message)
            assert self.inner._pipeline is not None
            delivered = await Telemetry(self.inner._pipeline).aflush(0.3)
            return result if delivered.complete and not delivered.dropped else self.instead(result)

        return call

    def instead(self, result: Any) -> Any:
        """Give what the caller gets instead."""
        return Failure("telemetry is away") if isinstance(result, Success) else result


class Hiding(Meddling):
    """Says that all is well."""

    def instead(self, result: Any) -> Any:
        """Give what the caller gets instead."""
        return result if isinstance(result, Success) else Success(None)


TELEMETRY_PLUGINS = Suite(
    "transparency",
    TRANSPARENCY_LAWS,
    (RIGHT,),
    tuple(
        Mutant(
            name,
            "results_are_the_same",
            TransparencySubject(RIGHT.place, lambda place, url, wrong=wrong: wrong(RIGHT.plugin(place, url))),
        )
        for name, wrong in (
            ("fails what it could not record", Meddling),
            ("hides a failure that it could not record", Hiding),
        )
    ),
    examples=10,
)
