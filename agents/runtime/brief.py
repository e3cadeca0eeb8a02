"""The brief: what every language model is told of the situation, in one structure."""

from dataclasses import asdict, dataclass, field
from typing import Literal

Locale = Literal["es", "en"]

#: Under which a system message keeps its instructions, apart from the situation, in its
#: `additional_kwargs`: they never leave.
INSTRUCTIONS = "instructions"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingConfirmation:
    """A frozen call that the student has not decided on."""

    id: str
    tool: str
    summary: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Guess:
    """What words most probably want, by the classifier of intents.

    Args:
        label: an intent's name, for `knowledge` with the field of documents behind a dot.
    """

    label: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Situation of one turn; facts about courses, rules or people are never in it.

    Args:
        now: ISO 8601 in the institution's time zone.
        identity_level: `visitor`, `channel` or `verified`.
        new_messages: how many of the last student messages this turn has to answer.
        memory: what earlier turns left for this one (open task, slots, last course named, …);
            written by graph nodes, kept with the conversation.
        summary: of what lies before the message window.
        flags: what the input guard noted, e.g. `injection`, `too_long`.
        status: `agent`, or `waiting` while a person has been asked for.
        guesses: by each clause of the new messages; none where no classifier is to be had.
    """

    locale: Locale
    now: str
    time_zone: str
    institution: str
    identity_level: Literal["visitor", "channel", "verified"]
    new_messages: int
    memory: dict[str, object] = field(default_factory=dict)
    summary: str = ""
    pending: PendingConfirmation | None = None
    flags: tuple[str, ...] = ()
    status: str = "agent"
    guesses: dict[str, Guess] = field(default_factory=dict)

    def to_kwargs(self) -> dict[str, object]:
        """Return it in JSON types, as the system message's `additional_kwargs["brief"]`."""
        return {"brief": asdict(self)}
