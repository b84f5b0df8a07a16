import functools
import threading
from typing import Any, NewType, Protocol

import anyio
import attrs
import punq
import pytest
from returns.result import Failure, Result, Success

from cqrs import (
    Clock,
    Command,
    CommandBus,
    CompositionError,
    CqrsModule,
    Event,
    EventBus,
    Feature,
    Problem,
    QueryBus,
)
from cqrs.problems import Code

Dsn = NewType("Dsn", str)


@attrs.frozen
class Place(Command[Any, str]):
    """A command."""


@attrs.frozen
class Placed(Event):
    """An event."""


class Stock:
    """A service."""


class Mailer(Protocol):
    """A service by its protocol."""

    def send(self) -> str:
        """Send."""


class SmtpMailer:
    """A mailer that needs the stock."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock

    def send(self) -> str:
        """Send."""
        return "sent"


class Orders:
    """A class that needs a mailer, which needs the stock."""

    def __init__(self, mailer: Mailer) -> None:
        self.mailer = mailer


class Defaulted:
    """A class of which punq is given one parameter and another has a default."""

    def __init__(self, dsn, stock: Stock | None = None) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        self.dsn, self.stock = dsn, stock


class Chicken:
    """A class that needs the class that needs it."""

    def __init__(self, egg: "Egg") -> None: ...


class Egg:
    """The other one."""

    def __init__(self, chicken: Chicken) -> None: ...


def handling(handler: Any) -> Feature:
    feature = Feature("orders")
    feature.handles(Place)(handler)
    return feature


async def takes_stock(_command: Place, *, stock: Stock) -> Result[Stock, str]:
    return Success(stock)


async def takes_orders(_command: Place, *, orders: Orders) -> Result[Orders, str]:
    return Success(orders)


async def takes_optional(_command: Place, *, stock: Stock | None = None) -> Result[Stock | None, str]:
    return Success(stock)


async def takes_postponed(_command: "Place", *, stock: "Stock") -> "Result[Stock, str]":
    return Success(stock)


async def takes_all(
    _command: Place, *, c: CommandBus, q: QueryBus, e: EventBus, clock: Clock, dsn: Dsn, rows: list[int]
) -> Result[tuple[Any, ...], str]:
    return Success((c, q, e, clock, dsn, rows))


async def takes_egg(_command: Place, *, egg: Egg) -> Result[Egg, str]:
    return Success(egg)


async def takes_rows(_command: Place, *, rows: list[Stock]) -> Result[list[Stock], str]:
    return Success(rows)


def problems_of(
    compose_app: Any, feature: Feature, container: punq.Container | None = None
) -> tuple[Problem, ...]:
    checked = compose_app(feature, container=container).check()
    assert isinstance(checked, Failure)
    return checked.failure()  # type: ignore[no-any-return]  # the test knows what it holds


async def answer_of(compose_app: Any, feature: Feature, container: punq.Container | None = None) -> Any:
    async with compose_app(feature, container=container) as bus:
        return (await bus.commands.execute(Place())).unwrap()


async def refusal_of(compose_app: Any, feature: Feature, container: punq.Container | None = None) -> Any:
    with pytest.raises(CompositionError) as refused:
        async with compose_app(feature, container=container):
            pass
    return refused.value.problems


async def test_the_parameters_of_a_function_are_injected(compose_app: Any) -> None:
    """What punq leaves a function without, its parameters, a handler gets by type, annotations in quotes included."""
    container = punq.Container().register(Stock, scope=punq.Scope.singleton)

    first = await answer_of(compose_app, handling(takes_stock), container)
    second = await answer_of(compose_app, handling(takes_postponed), punq.Container().register(Stock))

    assert first is container.resolve(Stock)
    assert isinstance(second, Stock)


def decorated(function: Any) -> Any:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return call


async def by_keyword(_command: Place, *, stock: Stock, note: str = "own") -> Result[Any, str]:
    return Success((stock, note))


async def by_position(_command: Place, stock: Stock, note: str = "own") -> Result[Any, str]:
    return Success((stock, note))


async def after_a_default(_command: Place, note: str = "own", *, stock: Stock) -> Result[Any, str]:
    return Success((stock, note))


async def into_a_mapping(_command: Place, stock: Stock, **more: Any) -> Result[Any, str]:
    return Success((stock, "own", *more))


@pytest.mark.parametrize("decorate", [lambda function: function, decorated], ids=["plain", "decorated"])
@pytest.mark.parametrize("handler", [by_keyword, by_position, after_a_default, into_a_mapping])
async def test_dependencies_come_however_the_parameters_are_written(
    handler: Any, decorate: Any, compose_app: Any
) -> None:
    """By keyword or position, next to defaults that are kept, under a decorator; and the function itself is as it was."""
    before = (handler.__defaults__, handler.__kwdefaults__)
    container = punq.Container().register(Stock, scope=punq.Scope.singleton)

    assert await answer_of(compose_app, handling(decorate(handler)), container) == (
        container.resolve(Stock),
        "own",
    )
    assert (handler.__defaults__, handler.__kwdefaults__) == before


async def test_dependencies_are_made_once_when_the_app_starts(compose_app: Any) -> None:
    """However many dispatches there are, a dependency is made once per handler."""
    made: list[int] = []
    container = punq.Container().register(Stock, factory=lambda: made.append(1) or Stock())

    async with compose_app(handling(takes_stock), container=container) as bus:
        answers = [(await bus.commands.execute(Place())).unwrap() for _ in range(5)]

    assert len(made) == 1
    assert len(set(map(id, answers))) == 1


async def test_an_optional_parameter_gets_what_is_registered(compose_app: Any) -> None:
    """`X | None = None` is the registered X, from punq or from a feature, and None where there is none."""
    provided = handling(takes_optional)
    provided.provides(Stock)

    assert await answer_of(compose_app, handling(takes_optional)) is None
    assert isinstance(
        await answer_of(compose_app, handling(takes_optional), punq.Container().register(Stock)), Stock
    )
    assert isinstance(await answer_of(compose_app, provided), Stock)


async def test_the_app_itself_can_be_asked_for(compose_app: Any) -> None:
    """Buses, clock and keys of every kind are injected; the buses can be resolved from the container too."""
    container = punq.Container().register(Dsn, instance="sqlite:")
    feature = handling(takes_all)
    feature.provides(list[int], lambda: [1])
    app = compose_app(feature, container=container)

    async with app as bus:
        command_bus, query_bus, event_bus, clock, dsn, rows = (await bus.commands.execute(Place())).unwrap()
        assert container.resolve(CommandBus) is bus.commands is command_bus
        assert container.resolve(EventBus) is bus.events is event_bus
        assert container.resolve(QueryBus) is bus.queries is query_bus

    assert clock.monotonic_ns() > 0
    assert (dsn, rows) == ("sqlite:", [1])


async def test_a_class_handler_gets_its_constructors_parameters(compose_app: Any) -> None:
    """The class is made once, with its dependencies, and its __call__ handles."""

    class Handler:
        def __init__(self, stock: Stock) -> None:
            self.stock = stock

        async def __call__(self, _command: Place) -> Result[Any, str]:
            return Success(self)

    container = punq.Container().register(Stock)
    async with compose_app(handling(Handler), container=container) as bus:
        first, second = [(await bus.commands.execute(Place())).unwrap() for _ in range(2)]

    assert first is second
    assert isinstance(first.stock, Stock)


async def test_provided_and_registered_services_need_one_another(compose_app: Any) -> None:
    """A punq class may need a provided service, and a factory of a feature a punq class that needs another one."""
    feature = handling(takes_orders)
    feature.provides(Stock)

    def make_mailer(registered: SmtpMailer) -> Mailer:
        return registered

    feature.provides(Mailer, make_mailer)
    container = punq.Container().register(Orders).register(SmtpMailer)

    orders = await answer_of(compose_app, feature, container)

    assert orders.mailer.send() == "sent"
    assert orders.mailer.stock is container.resolve(Stock)


async def test_what_a_feature_provides_is_one_object_for_all(compose_app: Any) -> None:
    """Two handlers and the container get the same instance, made once."""
    feature = handling(takes_stock)
    feature.provides(Stock)
    container = punq.Container()

    stock = await answer_of(compose_app, feature, container)

    assert container.resolve(Stock) is stock


async def test_registrations_are_honoured_until_the_app_is_entered(compose_app: Any) -> None:
    """What is registered after `for_root`, before `async with`, is there."""
    container = punq.Container()
    app = compose_app(handling(takes_stock), container=container)
    container.register(Stock)

    async with app as bus:
        assert isinstance((await bus.commands.execute(Place())).unwrap(), Stock)


def test_a_missing_dependency_is_told_with_its_path(compose_app: Any) -> None:
    """Nested however deep, the problem shows the way from handler to missing type, the place and the call to add."""
    container = punq.Container().register(Orders).register(Mailer, SmtpMailer)

    (problem,) = problems_of(compose_app, handling(takes_orders), container)

    assert problem.code is Code.MISSING_DEPENDENCY
    assert problem.text == (
        f"{__name__}.takes_orders → orders: Orders → mailer: Mailer → stock: Stock: nothing is registered for Stock."
    )
    assert problem.fix.startswith("container.register(Stock, ...)")
    assert "test_container.py:" in problem.place


def test_every_missing_dependency_is_told_at_once(compose_app: Any) -> None:
    """Each parameter of each handler that lacks something is a problem of its own."""
    feature = handling(takes_all)
    feature.subscribes(Placed, name="s")(takes_stock)

    problems = problems_of(compose_app, feature)

    assert [p.code for p in problems] == [Code.MISSING_DEPENDENCY] * 3
    assert [p.text.rpartition("for ")[2] for p in problems] == [f"{__name__}.Dsn.", "list[int].", "Stock."]


def test_a_list_has_to_be_provided(compose_app: Any) -> None:
    """Punq answers every list with what is registered of its elements, so a list of one's own comes from a feature."""
    container = punq.Container().register(Stock).register(list[Stock], instance=[Stock()])

    (problem,) = problems_of(compose_app, handling(takes_rows), container)

    assert problem.text.endswith(f"list[{__name__}.Stock].")
    assert problem.fix.startswith(f"feature.provides(list[{__name__}.Stock], ...)")


async def test_a_punq_class_may_need_all_of_a_kind(compose_app: Any) -> None:
    """The list of all registrations, which punq itself gives to its classes, is no missing dependency."""

    class Shelf:
        def __init__(self, stocks: list[Stock]) -> None:
            self.stocks = stocks

    async def takes_shelf(_command: Place, *, shelf: Shelf) -> Result[Shelf, str]:
        return Success(shelf)

    container = punq.Container().register(Stock).register(Stock).register(Shelf)

    assert len((await answer_of(compose_app, handling(takes_shelf), container)).stocks) == 2


def test_a_cycle_is_told_as_one(compose_app: Any) -> None:
    """Classes that need one another are a cycle, shown as a path, not a recursion or a missing type."""
    container = punq.Container().register(Chicken).register(Egg)

    (problem,) = problems_of(compose_app, handling(takes_egg), container)

    assert problem.code is Code.CYCLIC_DEPENDENCY
    assert "egg: Egg → chicken: Chicken → egg: Egg: Egg needs itself" in problem.text


def test_two_registrations_are_ambiguous(compose_app: Any) -> None:
    """Registered twice, or registered and provided, is told; punq would silently take the last."""
    twice = punq.Container().register(Stock).register(Stock)
    provided = handling(takes_stock)
    provided.provides(Stock)

    for feature, container in [(handling(takes_stock), twice), (provided, punq.Container().register(Stock))]:
        (problem,) = problems_of(compose_app, feature, container)
        assert problem.code is Code.AMBIGUOUS_DEPENDENCY
        assert "Stock is registered 2 times" in problem.text


def test_a_signature_that_cannot_be_read_is_told(compose_app: Any) -> None:
    """A handler, or a factory that it needs, with a parameter without annotation is a problem, not a crash."""

    async def unreadable(_command: Place, *, stock) -> Result[Any, str]:  # type: ignore[no-untyped-def]  # noqa: ANN001
        return Success(stock)

    feature = handling(takes_stock)
    feature.provides(Stock, lambda dsn: Stock())  # type: ignore[call-arg]  # noqa: ARG005

    for each in (handling(unreadable), feature):
        (problem,) = problems_of(compose_app, each)
        assert problem.code is Code.UNREADABLE_SIGNATURE


async def test_what_punq_can_make_is_not_reported(compose_app: Any) -> None:
    """A parameter given at the registration, and one with a default, are no missing dependencies."""

    async def takes_defaulted(_command: Place, *, it: Defaulted) -> Result[Defaulted, str]:
        return Success(it)

    container = punq.Container().register(Defaulted, dsn="sqlite:")

    made = await answer_of(compose_app, handling(takes_defaulted), container)

    assert (made.dsn, made.stock) == ("sqlite:", None)


async def test_a_constructor_that_raises_is_a_problem(compose_app: Any) -> None:
    """What cannot be made when the app starts is told with the exception, for punq classes, factories and handlers."""

    class Broken:
        def __init__(self) -> None:
            raise ConnectionError("no database")

    async def takes_broken(_command: Place, *, broken: Broken) -> Result[Any, str]:
        return Success(broken)

    class Handler(Broken):
        async def __call__(self, _command: Place) -> Result[Any, str]:
            return Success(None)

    provided = handling(takes_broken)
    provided.provides(Broken)
    for feature, container in [
        (handling(takes_broken), punq.Container().register(Broken)),
        (provided, None),
        (handling(Handler), None),
    ]:
        (problem,) = await refusal_of(compose_app, feature, container)
        assert problem.code is Code.DEPENDENCY_FAILED
        assert "ConnectionError: no database" in problem.text


async def test_what_needs_what_failed_is_not_told_again(compose_app: Any) -> None:
    """A factory that fails is called once and told once, however many others need its service."""
    calls: list[int] = []

    def broken() -> Stock:
        calls.append(1)
        raise ConnectionError("no database")

    def needs(stock: Stock) -> Mailer:
        return SmtpMailer(stock)

    for services in [[(Stock, broken), (Mailer, needs)], [(Mailer, needs), (Stock, broken)]]:
        calls.clear()
        feature = Feature("broken")
        for service, factory in services:
            feature.provides(service, factory)
        problems = await refusal_of(compose_app, feature)
        (problem,) = problems
        assert problem.text.endswith("broken could not be made: ConnectionError: no database.")
        assert len(calls) == 1


async def test_an_async_factory_is_refused(compose_app: Any) -> None:
    """A coroutine is not injected in place of the service that it would make."""

    async def make_stock() -> Stock:
        return Stock()

    async def generate_stock() -> Any:
        yield Stock()

    provided, generated = handling(takes_stock), handling(takes_stock)
    provided.provides(Stock, make_stock)  # type: ignore[arg-type]  # the wrong type is the point
    generated.provides(Stock, generate_stock)
    registered = punq.Container().register(Stock, factory=make_stock)
    for feature, container in [(provided, None), (generated, None), (handling(takes_stock), registered)]:
        (problem,) = await refusal_of(compose_app, feature, container)
        assert problem.code is Code.DEPENDENCY_FAILED
        assert "its factory is async" in problem.text


async def test_one_container_serves_one_app(compose_app: Any) -> None:
    """A second app that opens the same container is refused; the first runs on."""
    container = punq.Container().register(Stock)
    async with compose_app(handling(takes_stock), container=container) as first:
        (problem,) = await refusal_of(compose_app, handling(takes_stock), container)
        assert problem.code is Code.CONTAINER_TAKEN
        assert isinstance((await first.commands.execute(Place())).unwrap(), Stock)


async def test_a_check_finds_that_a_container_serves_another_app() -> None:
    """Told with where both are composed, together with what else is wrong; the app that it serves is fine."""
    container = punq.Container().register(Stock)
    apps = [
        CqrsModule.for_root(handling(takes_stock), container=container, plugins=(), env={}),
        CqrsModule.for_root(
            handling(takes_stock),
            Feature("broken"),
            container=container,
            plugins=(),
            env={},
            enable_command_bus=False,
        ),
    ]
    first, second = (each._composition.owner.place for each in apps)
    assert [problem.code for problem in apps[1].check().failure()] == [Code.BUS_DISABLED]
    async with apps[0]:
        taken, disabled = apps[1].check().failure()
        assert isinstance(apps[0].check(), Success)

    assert (taken.code, taken.place, disabled.code) == (Code.CONTAINER_TAKEN, second, Code.BUS_DISABLED)
    assert taken.text == f"this container already serves another app, composed at {first}."
    assert [place.partition(":")[0] for place in (first, second)] == ["tests/test_container.py"] * 2


def test_one_singleton_for_threads_that_start_at_once(compose_app: Any) -> None:
    """Eight apps on children of one container, entered in eight threads, share its singleton, made once."""
    together = threading.Barrier(8)
    made: list[int] = []

    def make() -> Stock:
        made.append(1)
        threading.Event().wait(0.01)
        return Stock()

    container = punq.Container().register(Stock, factory=make, scope=punq.Scope.singleton)
    answers: list[Stock] = []

    def run() -> None:
        app = compose_app(handling(takes_stock), container=container.child())

        async def main() -> None:
            together.wait(5)
            async with app as bus:
                answers.append((await bus.commands.execute(Place())).unwrap())

        anyio.run(main)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert len(answers) == 8
    assert len(set(map(id, answers))) == 1


def test_a_graph_of_diamonds_is_checked_in_no_time(compose_app: Any) -> None:
    """Sixty layers of two classes, each needing both below, have 2^60 paths and are checked all the same."""
    container, below = punq.Container(), (Stock, Stock)
    for number in range(60):
        layer = tuple(type(f"Layer{number}{side}", (), {"__init__": _needing(*below)}) for side in "ab")
        for each in layer:
            container.register(each)
        below = layer  # type: ignore[assignment]  # the wrong type is the point

    async def takes_top(_command: Place, *, top: Any) -> Result[Any, str]:
        return Success(top)

    takes_top.__annotations__["top"] = below[0]

    (problem,) = {p.code for p in problems_of(compose_app, handling(takes_top), container)}

    assert problem is Code.MISSING_DEPENDENCY
    assert compose_app(handling(takes_top), container=container.register(Stock)).check().unwrap()


def _needing(a: type, b: type) -> Any:
    def init(self: Any, a: Any, b: Any) -> None: ...

    init.__annotations__ = {"a": a, "b": b}
    return init
