"""An app as a picture: messages, their handlers, and the events that those name, as a Mermaid flowchart."""

from collections.abc import Iterator

from cqrs.describe import AppDescription, HandlerDescription
from cqrs.middleware import Kind

_HEADINGS: dict[Kind, str] = {"command": "commands", "query": "queries", "event": "events"}


def handlers_mermaid(description: AppDescription) -> str:
    """Draw an app: a solid line from each message to who answers or hears it.

    A dotted line goes from a handler to an event that its code names, which is what it may publish.

    Args:
        description: the app.
    """
    return "\n".join(["flowchart LR", *_lines(description)])


def _lines(description: AppDescription) -> Iterator[str]:
    nodes: dict[tuple[Kind, str], str] = {}
    for kind, heading in _HEADINGS.items():
        handlers = [(n, h) for n, h in enumerate(description.handlers) if h.info.kind == kind]
        named = [name for h in description.handlers for name in h.names] if kind == "event" else []
        messages = dict.fromkeys([*(m for _, h in handlers for m in h.messages), *named])
        if not messages:
            continue
        yield f"  subgraph {heading}"
        for message in messages:
            node = nodes[kind, message] = f"{kind[0]}{len(nodes)}"
            yield f"    {node}{_shape(kind, message)}"
        yield from (f"    {_node(n)}({_label(_called(h))})" for n, h in handlers)
        yield from (f"    {nodes[kind, m]} --> {_node(n)}" for n, h in handlers for m in h.messages)
        yield "  end"
    for number, handler in enumerate(description.handlers):
        yield from (f"  {_node(number)} -.-> {nodes['event', name]}" for name in handler.names)


def _node(number: int) -> str:
    return f"h{number}"


def _shape(kind: Kind, message: str) -> str:
    return f"{{{{{_label(message)}}}}}" if kind == "event" else f"[{_label(message)}]"


def _called(handler: HandlerDescription) -> str:
    return handler.info.subscriber or handler.info.handler.rpartition(".")[2]


def _label(text: str) -> str:
    # What has a meaning in Mermaid or in the HTML that it makes.
    escaped = text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    return f'"{escaped}"'
