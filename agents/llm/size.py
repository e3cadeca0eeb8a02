"""How large an answer of a model may grow, and what it is counted as where nobody counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessageChunk, AnyMessage
from langchain_core.messages.ai import UsageMetadata

#: Fewer than a token holds on average in either language: an estimate errs to the dear side.
_CHARACTERS_A_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an answer is cut at: beyond it a model rambles, or somebody means harm.

    Args:
        characters: of text, names and arguments together.
        calls: that one answer asks for.
    """

    characters: int
    calls: int = 64


def characters_of(chunk: AIMessageChunk) -> int:
    """Return how much a piece of an answer holds."""
    asked = sum(len(c["name"] or "") + len(c["args"] or "") for c in chunk.tool_call_chunks)
    return len(chunk.text) + asked


def exceeds(whole: AIMessageChunk, bounds: Bounds, characters: int) -> bool:
    """Return whether an answer has grown too large.

    Args:
        whole: its pieces so far, added up.
        characters: that they held.
    """
    return characters > bounds.characters or len(whole.tool_call_chunks) > bounds.calls


def estimated_usage(messages: Sequence[AnyMessage], whole: AIMessageChunk) -> UsageMetadata:
    """Return about how many tokens an answer took."""
    read = -(-sum(len(message.text) for message in messages) // _CHARACTERS_A_TOKEN)
    written = -(-characters_of(whole) // _CHARACTERS_A_TOKEN)
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
