"""``cqrs swr …``: look at the folder that processes share, and empty it."""

from cqrs_swr.cli.group import group

__all__ = ["group"]
