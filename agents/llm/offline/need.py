"""What one intent of a turn needs: the calls it may make, and what they ended in."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.llm.offline.intents import Intent
from agents.llm.offline.reading import OWN, Conversation, Result, rows_of

#: Below this the catalogue's tools themselves say that nothing certain was found.
SURE = 0.5


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that the model asks for."""

    id: str
    tool: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Need:
    """One intent in its turn, and the calls it may make.

    Args:
        place: of the intent in the turn; with a tool's name it makes a call's id.
        alone: nothing else has to be answered in the same reply.
    """

    place: int
    intent: Intent
    turn: Conversation
    alone: bool = True

    def call(self, tool: str, arguments: Mapping[str, object], part: str = "") -> Call:
        """Return a call whose id is the same whenever this turn is planned."""
        return Call(self.id_of(tool, part), tool, arguments)

    def id_of(self, tool: str, part: str = "") -> str:
        """Return the id of this intent's call of a tool."""
        return f"{OWN}{self.place}-{tool}{part}"

    def result(self, tool: str, part: str = "") -> Result | None:
        """Return what this intent's call of a tool ended in, None while it has not been made."""
        return self.turn.result(self.id_of(tool, part), tool)

    def data(self, tool: str, part: str = "") -> Mapping[str, object]:
        """Return the output of this intent's call of a tool, empty unless it was carried out."""
        found = self.result(tool, part)
        return found.data if found is not None and found.ok else {}

    def done(self, call: Call) -> bool:
        """Return whether a call has been made."""
        return self.turn.result(call.id, call.tool) is not None


def first_course(found: Mapping[str, object]) -> str:
    """Return the code of a search's best course, if it is sure enough."""
    courses = rows_of(found, "courses")
    return str(courses[0]["code"]) if courses and is_sure(found) else ""


def known_code(intent: Intent, turn: Conversation) -> str:
    """Return the code of the course that an intent means without a search."""
    return intent.code or ("" if intent.topic else turn.remembered.course())


def is_sure(found: Mapping[str, object]) -> bool:
    """Return whether a search says that its first result is what was asked for."""
    return confidence_of(found) >= SURE


def confidence_of(found: Mapping[str, object]) -> float:
    """Return a search's own estimate of its first result, 0 to 1."""
    return float(str(found.get("confidence") or 0))
