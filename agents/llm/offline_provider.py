"""The offline model as a provider; also what every other provider falls back to."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk, AnyMessage

from agents.llm.offline.model import MODEL, OfflineChatModel
from agents.llm.offline.quoting import Embed
from tools.spec import ToolSpec


class OfflineProvider:
    """Speaks without a key or a network, and costs nothing.

    Args:
        embed: unit vectors of texts, by a local embedder.
    """

    name = "offline"
    model = MODEL

    def __init__(self, embed: Embed | None = None) -> None:
        self._chat = OfflineChatModel(embed=embed)

    async def stream(
        self, messages: Sequence[AnyMessage], tools: Sequence[ToolSpec[Any, Any]]
    ) -> AsyncIterator[AIMessageChunk]:
        """Stream one answer sentence by sentence."""
        available = [tool.name for tool in tools]
        async for chunk in self._chat.astream(list(messages), tools=available):
            yield chunk

    def cost_micros(self, tokens_in: int, tokens_out: int) -> int:
        """Return what tokens cost: nothing."""
        return 0
