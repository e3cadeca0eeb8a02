"""Scores whether a person was asked for, or offered."""

from evals.evidence import Evidence
from evals.phrases import first_found
from evals.scenario import Expectations
from evals.score import Score, failed, passed

_OFFERS = (
    *("hablar con una persona", "con una persona", "con un asesor", "con una asesora"),
    *("una persona del equipo", "alguien del equipo", "te paso con"),
    *("talk to a person", "a person", "an advisor", "someone from the team", "a human"),
)


def grade(expect: Expectations, seen: Evidence) -> Score:
    """Grade the hand-off; an offer counts in words or as a hint for the channel."""
    requested = seen.conversation in ("waiting", "advisor")
    offered = _offered(seen)
    if expect.handoff == "none":
        return failed("a person was asked for") if requested else passed("no person was asked for")
    if requested:
        return passed("a person was asked for")
    if expect.handoff == "offered" and offered is not None:
        return passed(f"a person was offered: {offered}")
    return failed("no person was asked for" + (", only offered" if offered else " or offered"))


def _offered(seen: Evidence) -> str | None:
    if "handoff_offer" in seen.hints:
        return "by a hint"
    return first_found("\n".join(reply.text for reply in seen.replies), _OFFERS)
