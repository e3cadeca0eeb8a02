"""A Hugging Face model of this machine as a provider; needs the extra `models`."""

from pathlib import Path

from agents.llm.chat_provider import guard_chat
from agents.llm.guarded import Failure, GuardedProvider
from agents.llm.transformers_model import TransformersChatModel
from agents.settings import AgentSettings


def build_transformers(settings: AgentSettings, folder: str) -> GuardedProvider:
    """Return a provider that speaks with the model in a folder."""
    chat = TransformersChatModel(folder=Path(folder), max_tokens=settings.transformers_max_tokens)

    return guard_chat(
        settings, chat, name="transformers", model=Path(folder).name, translate=translate_error
    )


def translate_error(error: Exception) -> Failure:
    """Say what an error of the model means to us: trying the same again will not help."""
    kind = type(error).__name__
    if isinstance(error, TimeoutError):
        return Failure("timeout", again=False, detail=kind)
    return Failure("server_error", again=False, detail=f"{kind}: {error}"[:200])
