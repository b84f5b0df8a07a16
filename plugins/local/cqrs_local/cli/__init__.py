"""`cqrs local …`: run the embedded server."""

from cqrs_local.cli.group import group

__all__ = ["group"]
