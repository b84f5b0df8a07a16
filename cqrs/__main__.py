"""``python -m cqrs`` is the ``cqrs`` command."""

from cqrs.cli import main

main()
