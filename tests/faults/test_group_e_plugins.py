"""Group E: what plugins do wrong. Each row runs a real program with real distributions.

Rows that depend on how tasks run (E6, E7, E8, E12) run on every loop: asyncio, its debug mode, eager tasks and trio.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Plugin = Callable[..., None]
Install = Callable[..., None]

ANSWER = "<Success: 4711>"
CANARY = "canary-7c21"

LIFESPAN = """
@contextlib.asynccontextmanager
async def lifespan(self):
    print(self.name, "started")
    yield
    {stop}
    print(self.name, "stopped")
"""


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise RuntimeError('on import')", "RuntimeError: on import"),
    ],
    ids=["import error", "syntax error", "exits", "raises"],
)
def test_e1_a_plugin_that_cannot_be_imported(before: str, reason: str, run_app: Any, plugin: Plugin) -> None:
    """E1: the app starts, the plugin is failed with the exception's text, another one runs."""
    plugin("bad", before=before)
    plugin("good")

    ran = run_app()

    assert ran.told["answer"] == ANSWER
    assert (ran.state("bad"), ran.state("good")) == ("failed", "active")
    assert reason in ran.reason("bad")
    assert len(ran.logged("plugin bad (shop-bad 1.0) failed to load")) == 1


def test_e1_a_plugin_that_hangs_on_import_is_named_while_it_does(run_app: Any, plugin: Plugin) -> None:
    """E1: after 2 s a warning names the plugin that the app waits for, before the import has ended."""
    plugin("slow", before="import sys; time.sleep(2.5); print('imported', file=sys.stderr)")

    ran = run_app()

    (warning,) = ran.logged("WARNING plugin slow (shop-slow 1.0) is still being imported after 2 s.")
    assert ran.log.index(warning) < ran.log.index("imported")
    assert (ran.told["answer"], ran.state("slow")) == (ANSWER, "active")


@pytest.mark.parametrize(
    ("value", "source", "reason"),
    [
        ("shop_bad:Missing", "", "AttributeError"),
        ("shop_bad:Bad", "Bad = dict", "it is a dict, not a cqrs Plugin"),
        ("shop_bad:Bad", "Bad = 5", "TypeError: 'int' object is not callable"),
        ("shop_bad:Bad", "def Bad(): return None", "it is a NoneType, not a cqrs Plugin"),
    ],
    ids=["missing attribute", "another class", "no factory", "nothing"],
)
def test_e2_an_entry_point_that_is_no_plugin(
    value: str, source: str, reason: str, run_app: Any, install: Install
) -> None:
    """E2: the app starts, the plugin is failed and says what was found instead."""
    install("shop-bad", f"[cqrs.plugins]\nbad = {value}\n", shop_bad=source)

    ran = run_app()

    assert (ran.told["answer"], ran.state("bad")) == (ANSWER, "failed")
    assert reason in ran.reason("bad")


def test_e3_a_malformed_distribution_hides_no_other(run_app: Any, plugin: Plugin, install: Install) -> None:
    """E3: entry points that cannot be parsed cost only their own distribution, named in one WARNING; ours are found."""
    plugin("good")
    install("aaa-unrelated", "no equals sign here\n[console_scripts\n")
    install("bbb-bytes", b"[console_scripts]\nx = \xff\xfe\n")
    install("zzz-meant", "[cqrs.plugins]\nno equals sign here\n")

    ran = run_app()

    assert (ran.told["answer"], ran.state("good")) == (ANSWER, "active")
    assert ran.state("zzz-meant") == "failed"
    assert ran.logged(
        "plugin zzz-meant (zzz-meant 1.0) failed to discover: its entry_points.txt is malformed"
    )
    (malformed,), (unreadable,) = ran.logged("aaa-unrelated"), ran.logged("bbb-bytes")
    assert malformed.startswith(
        "WARNING entry_points.txt of aaa-unrelated 1.0 is malformed: 'no equals sign here'."
    )
    assert unreadable.startswith(
        "WARNING entry_points.txt of bbb-bytes 1.0 cannot be read: UnicodeDecodeError"
    )


def test_e4_two_distributions_of_one_name(run_app: Any, install: Install) -> None:
    """E4: neither is imported, and both are named."""
    for name in ["north", "south"]:
        install(
            f"shop-{name}", f"[cqrs.plugins]\ntwin = {name}:Made\n", **{name: f"print('{name} imported')"}
        )

    ran = run_app()

    assert (ran.told["answer"], ran.state("twin")) == (ANSWER, "failed")
    assert len(ran.logged("shop-north 1.0 and shop-south 1.0 both bring it.")) == 2
    assert "imported" not in ran.output


@pytest.mark.parametrize(
    ("api", "reason"),
    [
        ("(2, 0)", "it was written for plugin API 2.0; this core has 1.0."),
        ("(0, 9)", "it was written for plugin API 0.9; this core has 1.0."),
        ("(1, 99)", "it was written for plugin API 1.99; this core has 1.0."),
        ("None", "TypeError: 'NoneType' object is not iterable."),
        ("'1.0'", "its api is '1.0', not a version such as (1, 0)."),
    ],
)
def test_e5_a_plugin_of_another_api(api: str, reason: str, run_app: Any, plugin: Plugin) -> None:
    """E5: older, newer, missing or malformed: it is left out and says what this core has; it is not configured."""
    plugin("bad", f"api = {api}\ndef configure(self, builder): print('configured')")

    ran = run_app()

    assert (ran.told["answer"], ran.state("bad")) == (ANSWER, "failed")
    assert "configured" not in ran.output
    assert ran.reason("bad") == reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("raise OSError('no disk')", "OSError: no disk."),
        ("raise SystemExit('bye')", "SystemExit: bye."),
        (
            "import cqrs.problems as p; return Failure((p.Problem(p.Code.BAD_SETTING, 'no port.', 'set it.'),))",
            "no port.",
        ),
    ],
    ids=["raises", "exits", "fails"],
)
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_e6_a_plugin_that_cannot_be_configured(
    answer: str, reason: str, run_app: Any, plugin: Plugin, *, strict: bool
) -> None:
    """E6: the others continue without anything of it; a strict app is refused, naming the plugin."""
    plugin("bad", f"def configure(self, builder):\n    builder.wrap_commands(lambda *_: 1 / 0)\n    {answer}")
    plugin("good")

    ran = run_app(strict=strict)

    if strict:
        (refused,) = ran.told["refused"]
        assert "CQRS-013 plugin bad (shop-bad 1.0) failed to configure" in refused
        assert reason in refused
    else:
        assert (ran.told["answer"], ran.state("bad"), ran.state("good")) == (ANSWER, "failed", "active")
        assert ran.reason("bad") == reason
        assert not ran.logged("wrap_command")


@pytest.mark.on_every_loop
@pytest.mark.on_every_loop
def test_e6_the_others_continue_however_tasks_run(run_app: Any, plugin: Plugin) -> None:
    """E6: one cannot be configured, the next one starts, runs and stops, on every loop."""
    plugin("bad", "def configure(self, builder): raise OSError('no disk')")
    plugin("good", LIFESPAN.format(stop="pass"))

    ran = run_app()

    assert (ran.told["answer"], ran.state("bad"), ran.state("good")) == (ANSWER, "failed", "active")
    assert ran.output.count("good started") == ran.output.count("good stopped") == 1


def test_e6_a_plugin_that_takes_long_to_configure_is_named(run_app: Any, plugin: Plugin) -> None:
    """E6: it cannot be killed, so the app waits, and a warning says for whom."""
    plugin("slow", "def configure(self, builder):\n    time.sleep(2.5)\n    return Success(None)")

    ran = run_app()

    assert len(ran.logged("WARNING plugin slow (shop-slow 1.0) is still being configured after 2 s.")) == 1
    assert (ran.told["answer"], ran.state("slow")) == (ANSWER, "active")


@pytest.mark.on_every_loop
def test_e7_plugins_that_cannot_stop(run_app: Any, plugin: Plugin) -> None:
    """E7: one raises, one hangs: each is told once, the others stop, last started first, and the program ends."""
    plugin("a", LIFESPAN.format(stop="pass"))
    plugin("b", LIFESPAN.format(stop="raise OSError('port taken')"))
    plugin("c", f"stop_timeout = 0.2\n{LIFESPAN.format(stop='await anyio.sleep_forever()')}")
    plugin("d", LIFESPAN.format(stop="pass"))

    ran = run_app()

    steps = [line for line in ran.output.splitlines() if line.endswith((" started", " stopped"))]
    assert steps == ["a started", "b started", "c started", "d started", "d stopped", "a stopped"]
    assert len(ran.logged("plugin b (shop-b 1.0) failed to stop: OSError: port taken.")) == 1
    assert (
        len(
            ran.logged(
                "plugin c (shop-c 1.0) failed to stop: it was still stopping after 0.2 s, its stop_timeout."
            )
        )
        == 1
    )


def test_e7_stopping_twice_stops_once(run_app: Any, plugin: Plugin) -> None:
    """E7: leaving an app that has been left does nothing."""
    plugin("a", LIFESPAN.format(stop="pass"))

    twice = run_app(
        "from cqrs import CqrsApp\nleave = CqrsApp.__aexit__\n"
        "async def again(self, *error):\n    await leave(self, *error)\n    await leave(self, *error)\n"
        "CqrsApp.__aexit__ = again\n"
    )

    assert twice.told["answer"] == ANSWER
    assert twice.output.count("a stopped") == 1


@pytest.mark.on_every_loop
@pytest.mark.parametrize(
    ("relations", "states", "edge"),
    [
        (
            {"a": "requires = ('z',)", "b": ""},
            {"a": "failed", "b": "active"},
            "it needs the plugin z, which is not there.",
        ),
        (
            {"a": "requires = ('b',)", "b": "requires = ('c',)", "c": "after = ('a',)", "d": ""},
            {"a": "failed", "b": "failed", "c": "failed", "d": "active"},
            "it has to come after itself: a → b → c → a.",
        ),
        (
            {"a": "requires = ('b',)", "b": "def configure(self, builder): raise OSError('no disk')"},
            {"a": "failed", "b": "failed"},
            "it needs the plugin b, which is failed: OSError: no disk.",
        ),
    ],
    ids=["missing", "cycle", "failed"],
)
def test_e8_a_plugin_whose_needs_are_not_met(
    relations: dict[str, str], states: dict[str, str], edge: str, run_app: Any, plugin: Plugin
) -> None:
    """E8: missing, circular or failed needs are told with the edge, and fail those plugins only."""
    for name, body in relations.items():
        plugin(name, body or "pass")

    ran = run_app()

    assert ran.told["answer"] == ANSWER
    assert {name: ran.state(name) for name in states} == states
    assert ran.reason("a") == edge


def test_e9_plugins_are_chosen_by_name(run_app: Any, plugin: Plugin) -> None:
    """E9: allow-list, `none` and deny-list hold before anything is imported; an unknown name is warned of."""
    for name in ["audit", "journal"]:
        plugin(name, before=f"print('{name} imported')")

    allowed = run_app(CQRS_PLUGINS="audit,journall")
    denied = run_app(CQRS_PLUGINS_DISABLED="audit")
    none = run_app(CQRS_PLUGINS="none")

    assert (allowed.state("audit"), allowed.state("journal")) == ("active", "excluded")
    assert allowed.logged("WARNING CQRS_PLUGINS names 'journall': did you mean journal?")
    assert "journal imported" not in allowed.output
    assert (denied.state("audit"), denied.state("journal")) == ("excluded", "active")
    assert (none.state("audit"), none.state("journal")) == ("excluded", "excluded")
    assert "imported" not in none.output
    assert {ran.told["answer"] for ran in (allowed, denied, none)} == {ANSWER}


def test_e10_two_plugins_that_register_one_type(run_app: Any, plugin: Plugin) -> None:
    """E10: neither wins by the order of its name; both are failed and name the type and the other."""
    body = "def configure(self, builder):\n    builder.register(float, 1.5)\n    return Success(None)"
    for name in ["north", "south"]:
        plugin(name, body)

    ran = run_app()

    assert ran.told["answer"] == ANSWER
    assert "builtins.float, and so does south" in ran.reason("north")
    assert "builtins.float, and so does north" in ran.reason("south")


def test_e10_a_plugin_that_registers_what_the_app_has(run_app: Any, plugin: Plugin) -> None:
    """E10: the app's own registration stays, the plugin is failed."""
    plugin(
        "greedy", "def configure(self, builder):\n    builder.register(float, 1.5)\n    return Success(None)"
    )

    ran = run_app("orders.provides(float, lambda: 2.5)")

    assert (ran.told["answer"], ran.state("greedy")) == (ANSWER, "failed")
    assert "and so does the app itself" in ran.reason("greedy")


@pytest.mark.on_every_loop
def test_e11_the_libraries_of_plugins_are_absent(run_app: Any, plugin: Plugin, site: Path) -> None:
    """E11: the core runs without any of them, and a plugin that needs one says how to get it."""
    for library in ["httpx", "httpcore", "diskcache", "opentelemetry", "orjson", "datafusion", "click"]:
        (site / f"{library}.py").write_text(f"raise ModuleNotFoundError({library!r}, name={library!r})\n")
    plugin("needy", before="import httpx")

    ran = run_app()

    assert (ran.told["answer"], ran.state("needy")) == (ANSWER, "failed")
    assert ran.logged("Fix: pip install shop-needy with what it needs, or set CQRS_PLUGINS_DISABLED=needy.")


@pytest.mark.on_every_loop
def test_e12_a_plugin_whose_worker_thread_crashes(run_app: Any, plugin: Plugin) -> None:
    """E12: a worker of its task group takes the plugin with it, once, with its traceback; the app goes on."""
    plugin(
        "worker",
        "@contextlib.asynccontextmanager\n"
        "async def lifespan(self):\n"
        "    async with anyio.create_task_group() as group:\n"
        "        group.start_soon(anyio.to_thread.run_sync, self.work)\n"
        "        yield\n"
        "        group.cancel_scope.cancel()\n"
        "def work(self):\n"
        "    raise OSError('connection lost')\n",
    )
    wait = "async def settle(app):\n    while app.plugins[0].state == 'active': await anyio.sleep(0.01)\n"

    ran = run_app(wait, CQRS_PLUGINS="worker", options=", plugins=[__import__('shop_worker').Made()]")

    assert (ran.told["answer"], ran.state("worker")) == (ANSWER, "failed")
    assert ran.told["health"]["worker"] == [False, "failed: OSError: connection lost."]
    assert len(ran.logged("plugin worker failed to run: OSError: connection lost.")) == 1
    assert ran.logged("raise OSError('connection lost')")


def test_e12_a_thread_that_a_plugin_started_by_itself(run_app: Any, plugin: Plugin) -> None:
    """E12: a thread that nobody waits for dies alone; the app goes on, and the plugin's health tells."""
    plugin(
        "threaded",
        "@contextlib.asynccontextmanager\n"
        "async def lifespan(self):\n"
        "    self.thread = threading.Thread(target=self.work)\n"
        "    self.thread.start()\n"
        "    self.thread.join()\n"
        "    yield\n"
        "def work(self):\n"
        "    raise OSError('connection lost')\n"
        "def health(self):\n"
        "    return Success('working') if self.thread.is_alive() else Failure('its thread has ended')\n",
    )

    ran = run_app()

    assert (ran.told["answer"], ran.state("threaded")) == (ANSWER, "active")
    assert ran.told["health"]["threaded"] == [False, "its thread has ended"]


@pytest.mark.parametrize("revealing", [False, True], ids=["careless", "abusive"])
def test_e13_a_plugin_that_logs_what_it_knows(run_app: Any, plugin: Plugin, *, revealing: bool) -> None:
    """E13: logging, printing or raising its settings shows no secret; only asking for it in so many words does."""
    shown = "settings.token.reveal()" if revealing else "settings"
    plugin(
        "chatty",
        "settings = Settings\n"
        "def configure(self, builder):\n"
        "    settings = builder.load(Settings).unwrap()\n"
        f"    logging.getLogger().error('%s %r', {shown}, {shown})\n"
        f"    print({shown}, attrs.asdict(settings), f'{{{shown}}}')\n"
        f"    raise OSError({shown})\n",
        before="import logging\nimport attrs\nfrom cqrs.settings import secret, setting\n"
        "@attrs.frozen\nclass Settings:\n"
        "    token: object = setting('SHOP_TOKEN', secret(), doc='what opens it.', example='t')\n",
    )

    ran = run_app(SHOP_TOKEN=CANARY)

    assert (ran.told["answer"], ran.state("chatty")) == (ANSWER, "failed")
    assert "OSError" in ran.reason("chatty")
    assert (CANARY in ran.output) is revealing
