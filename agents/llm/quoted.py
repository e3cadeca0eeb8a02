"""Marks what tools return as data before a model reads it: others wrote what stands there."""

from collections.abc import Sequence

from langchain_core.messages import AnyMessage, ToolMessage

OPEN, CLOSE = "<data>", "</data>"


def with_quoted_results(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Return messages whose tool results stand between marks that no result can hold.

    A document, a course description or a ticket may say "ignore your rules": the instructions tell
    that nothing between the marks is an order. Results are JSON, so that an angle bracket in a text
    can be written as its code, and no text ends its own quotation.
    """
    return [_quoted(m) if isinstance(m, ToolMessage) else m for m in messages]


def _quoted(message: ToolMessage) -> ToolMessage:
    held = str(message.content).replace("<", "\\u003c").replace(">", "\\u003e")
    return message.model_copy(update={"content": f"{OPEN}\n{held}\n{CLOSE}"})
