"""``cqrs openobserve …``: set the server up, and prove that records arrive."""

from cqrs_openobserve.cli.group import group

__all__ = ["group"]
