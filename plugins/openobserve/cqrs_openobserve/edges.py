"""What the edge of the program said of a dispatch: tenant, principal, correlation id."""

from typing import Final, TypedDict, final

from cqrs.context import MessageContext

NOWHERE: Final = MessageContext().origin


@final
class Edge(TypedDict, total=False):
    """What the edge of the program said, as attributes of ``More``."""

    correlation: str | None
    tenant: str | None
    principal: str | None


def edge_of(context: MessageContext) -> Edge:
    """Give what the edge of the program said of a dispatch.

    Args:
        context: the dispatch.
    """
    origin = context.origin
    if origin is NOWHERE:
        return {}
    return {"correlation": origin.correlation_id, "tenant": origin.tenant, "principal": origin.principal}
