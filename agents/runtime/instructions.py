"""An agent's instructions: files with a version, and the message that carries them."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from langchain_core.messages import BaseMessage, RemoveMessage, SystemMessage
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.runtime import Runtime

from agents.runtime.brief import INSTRUCTIONS, Brief, Locale
from agents.runtime.state import AgentState
from agents.runtime.turn import Turn


@dataclass(frozen=True, slots=True)
class Instructions:
    """What one agent is told.

    Args:
        folder: holds `es.md` and `en.md`.
    """

    folder: Path

    def version(self, policy: str) -> str:
        """Return a short hash of all that instructs the agent."""
        texts = (*(_text(file) for file in sorted(self.folder.glob("*.md"))), policy)
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]

    def message(self, brief: Brief, policy: str) -> SystemMessage:
        """Return the instructions in the brief's language, the policy and the situation."""
        instructions = f"{_text(self.folder / f'{brief.locale}.md')}\n\n{policy}"
        return SystemMessage(
            content=f"{instructions}\n\n{_situation(brief)}",
            additional_kwargs={**brief.to_kwargs(), INSTRUCTIONS: instructions},
        )

    def instruct(self, state: AgentState, runtime: Runtime[Turn]) -> dict[str, object]:
        """Put the instructions before the conversation, in the place of any other agent's."""
        spoken = [m for m in state["messages"] if not isinstance(m, SystemMessage)]
        messages: list[BaseMessage] = [
            RemoveMessage(id=REMOVE_ALL_MESSAGES),
            self.message(state["brief"], runtime.context.policy),
            *spoken,
        ]
        return {"messages": messages}


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


_LEVELS: dict[Locale, dict[str, str]] = {
    "es": {"visitor": "sin verificar", "channel": "canal conocido", "verified": "verificada"},
    "en": {"visitor": "not verified", "channel": "known channel", "verified": "verified"},
}


def _situation(brief: Brief) -> str:
    lines = {
        "now": f"{brief.now} ({brief.time_zone})",
        "institution": brief.institution,
        "identity": _LEVELS[brief.locale][brief.identity_level],
        "messages to answer": str(brief.new_messages),
        "flags": ", ".join(brief.flags),
        "waiting for a person": "yes" if brief.status == "waiting" else "",
        "pending confirmation": brief.pending.summary if brief.pending else "",
        "earlier": brief.summary,
        "memory": ", ".join(f"{k}={v}" for k, v in brief.memory.items() if v),
    }
    return "\n".join(f"- {name}: {value}" for name, value in lines.items() if value)
