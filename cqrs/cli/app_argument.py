"""Finding the app that a command is about: ``package.module:app``."""

import importlib
import sys
from pathlib import Path

import click

from cqrs.app import CqrsApp


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
