"""Chooses the providers by settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.llm.offline.quoting import Embed
from agents.llm.offline_provider import OfflineProvider
from agents.runtime.turn import Provider
from agents.settings import AgentSettings, ProviderName


@dataclass(frozen=True, slots=True)
class Providers:
    """Who speaks, and who speaks when that one fails.

    Args:
        by_agent: of the agents that speak otherwise than the rest.
    """

    primary: Provider
    fallback: Provider
    by_agent: Mapping[str, Provider] = field(default_factory=dict)

    async def aclose(self) -> None:
        """Let go of connections, when the process ends."""
        for provider in (self.primary, self.fallback, *self.by_agent.values()):
            close = getattr(provider, "aclose", None)
            if close is not None:
                await close()


def build_providers(settings: AgentSettings, *, embed: Embed | None = None) -> Providers:
    """Return the providers of all agents; those that speak with one model share its circuit.

    Args:
        embed: unit vectors of texts, for the offline model; words in common without it.
    """
    offline = OfflineProvider(embed)
    built: dict[tuple[ProviderName, str], Provider] = {("offline", ""): offline}

    def provider_of(agent: str) -> Provider:
        speaker = settings.speaker_for(agent)
        if speaker not in built:
            built[speaker] = _build(settings, *speaker)
        return built[speaker]

    own = {agent: provider_of(agent) for agent in settings.agents_of_their_own}
    return Providers(provider_of(""), offline, own)


def _build(settings: AgentSettings, provider: ProviderName, model: str) -> Provider:
    """Return a provider; its packages are imported only where it is chosen."""
    if provider == "openai":
        from agents.llm.openai_provider import build_openai

        return build_openai(settings, model)
    from agents.llm.transformers_provider import build_transformers

    return build_transformers(settings, model)
