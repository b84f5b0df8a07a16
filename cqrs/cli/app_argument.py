"""Finding the app that a command is about: ``package.module:app``."""

import importlib
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click

from cqrs.app import CqrsApp

Options = ParamSpec("Options")
Answer = TypeVar("Answer")


def takes_app(command: Callable[Concatenate[str, Options], Answer]) -> Callable[Options, Answer]:
    """Let a command take the app that it is about: as its argument, as ``--app``, or from ``CQRS_APP``.

    Args:
        command: its first parameter is the app as ``package.module:name``.
    """

    @_declared
    @wraps(command)
    def named(*args: Options.args, **kwargs: Options.kwargs) -> Answer:
        reference = _taken(kwargs)
        if reference is None:
            raise click.UsageError("Missing argument 'APP': name it, as --app, or in the variable CQRS_APP.")
        return command(reference, *args, **kwargs)

    return named


def may_take_app(command: Callable[Concatenate[str | None, Options], Answer]) -> Callable[Options, Answer]:
    """Let a command take an app as ``takes_app`` does, or none.

    Args:
        command: its first parameter is the app as ``package.module:name``, or None.
    """

    @_declared
    @wraps(command)
    def named(*args: Options.args, **kwargs: Options.kwargs) -> Answer:
        return command(_taken(kwargs), *args, **kwargs)

    return named


def _declared(command: Callable[Options, Answer]) -> Callable[Options, Answer]:
    option = click.option("--app", "app_option", metavar="APP", help="The same as the argument APP.")
    return click.argument("app_argument", metavar="[APP]", required=False)(option(command))


def _taken(options: dict[str, object]) -> str | None:
    argument, option = options.pop("app_argument"), options.pop("app_option")
    if argument and option and argument != option:
        raise click.UsageError(f"APP is named twice: {argument} and --app {option}.")
    named = next((each for each in (argument, option) if each is not None), os.environ.get("CQRS_APP"))
    return None if named is None else str(named)


def load_app(reference: str) -> CqrsApp:
    """Import an app, the current directory first on ``sys.path``.

    Args:
        reference: ``package.module:name``; ``app`` if no name is given.

    Raises:
        click.ClickException: if it is not there or is no app, naming what was found.
    """
    module_name, _, name = reference.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever importing the user's module raises
        raise click.ClickException(
            f"{reference}: cannot import {module_name!r}: {type(error).__name__}: {error}. "
            "Fix: name it as package.module:app and run from the project's directory."
        ) from None
    app = getattr(module, name or "app", None)
    if not isinstance(app, CqrsApp):
        found = "nothing" if app is None else f"a {type(app).__qualname__}"
        raise click.ClickException(
            f"{reference}: {module_name} has {found} under the name {name or 'app'!r}. "
            "Fix: name a CqrsApp, the value of CqrsModule.for_root(...)."
        )
    return app
