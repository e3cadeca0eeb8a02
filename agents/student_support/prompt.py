"""The agent's instructions: files with a version, and the message that carries them."""

import hashlib
from functools import cache
from pathlib import Path

from langchain_core.messages import BaseMessage, RemoveMessage, SystemMessage
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from agents.runtime.brief import INSTRUCTIONS, Brief, Locale
from agents.runtime.state import AgentState

_FOLDER = Path(__file__).parent / "prompts"


@cache
def prompt_version() -> str:
    """Return a short hash of all the agent's prompt files."""
    files = sorted(_FOLDER.glob("*.md"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


@cache
def _text(name: str) -> str:
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def system_message(brief: Brief) -> SystemMessage:
    """Return the instructions in the brief's language, the policy and the situation."""
    instructions = f"{_text(brief.locale)}\n\n{_text('policy')}"
    return SystemMessage(
        content=f"{instructions}\n\n{_situation(brief)}",
        additional_kwargs={**brief.to_kwargs(), INSTRUCTIONS: instructions},
    )


def instruct(state: AgentState) -> dict[str, object]:
    """Put this agent's instructions before the conversation, in the place of any other's."""
    spoken = [m for m in state["messages"] if not isinstance(m, SystemMessage)]
    messages: list[BaseMessage] = [
        RemoveMessage(id=REMOVE_ALL_MESSAGES),
        system_message(state["brief"]),
        *spoken,
    ]
    return {"messages": messages}


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
