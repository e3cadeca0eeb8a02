"""Chooses the providers by settings."""

from dataclasses import dataclass

from agents.llm.offline.quoting import Embed
from agents.llm.offline_provider import OfflineProvider
from agents.runtime.turn import Provider
from agents.settings import AgentSettings


@dataclass(frozen=True, slots=True)
class Providers:
    """Who speaks, and who speaks when that one fails."""

    primary: Provider
    fallback: Provider

    async def aclose(self) -> None:
        """Let go of connections, when the process ends."""
        for provider in (self.primary, self.fallback):
            close = getattr(provider, "aclose", None)
            if close is not None:
                await close()


def build_providers(
    settings: AgentSettings, *, agent: str = "student_support", embed: Embed | None = None
) -> Providers:
    """Return the providers of an agent.

    Args:
        embed: unit vectors of texts, for the offline model; words in common without it.
    """
    offline = OfflineProvider(embed)
    if settings.llm_provider == "openai":
        from agents.llm.openai_provider import build_openai

        return Providers(build_openai(settings, settings.model_for(agent)), offline)
    return Providers(offline, offline)
