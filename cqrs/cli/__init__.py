"""The ``cqrs`` command; plugins add groups by entry points of the group ``cqrs.commands``."""

import sys


def main() -> None:
    """Run the command line; without click, say how to get it."""
    try:
        from cqrs.cli.commands import cqrs
    except ModuleNotFoundError as error:
        if error.name not in {"click", "rich"}:
            raise
        sys.exit(f"cqrs: {error.name} is not installed. Fix: pip install 'returns-cqrs[cli]'")
    cqrs(prog_name="cqrs")
