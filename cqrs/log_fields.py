"""Whether the fields that a handler lets instruments record are fields of its message."""

import inspect
from collections.abc import Iterable, Iterator

from cqrs.middleware import HandlerInfo
from cqrs.problems import Code, Problem


def unknown_fields(handlers: Iterable[HandlerInfo]) -> Iterator[Problem]:
    """Find names in ``log_fields`` that the message does not have: they would silently never be recorded.

    Args:
        handlers: what is known of each.
    """
    for handler in handlers:
        known = fields_of(handler.message)
        for name in handler.log_fields:
            if name not in known and not hasattr(handler.message, name):
                yield Problem(
                    Code.UNKNOWN_FIELD,
                    f"{handler.handler} lets {name!r} be recorded, but {handler.message_type} has no such field.",
                    f"name one of its fields in log_fields: {', '.join(known) or 'it has none'}.",
                    handler.place,
                )


def fields_of(message: type) -> tuple[str, ...]:
    """Name the fields of a message class, whatever library makes it: what is annotated in it and in its bases.

    Args:
        message: the class.
    """
    names = (name for base in reversed(message.__mro__) for name in inspect.get_annotations(base))
    return tuple(dict.fromkeys(name for name in names if not name.startswith("__")))
