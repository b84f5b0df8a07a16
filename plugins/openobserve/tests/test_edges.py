"""The edge of the program."""

from cqrs_openobserve.edges import NOWHERE, edge_of

from cqrs.context import MessageContext, cqrs_context, current


def test_nothing_is_told_of_an_edge_that_said_nothing() -> None:
    """The usual dispatch costs one comparison."""
    assert MessageContext().begin().origin is NOWHERE
    assert edge_of(MessageContext().begin()) == {}
    with cqrs_context(tenant="acme"):
        parent = current.get()
        assert parent is not None
        told = edge_of(MessageContext().follow(parent))
    assert told == {"tenant": "acme", "principal": None, "correlation": None}
