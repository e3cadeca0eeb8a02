"""Which change of a score calls for what, and the draft that goes with it: pure rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.strings import say
from tools.context import Locale

#: From here on somebody calls; the upper third of scores.
HIGH = 67
MEDIUM = 34
_TOLD = 3


def propose_for(score: Mapping[str, Any], *, before: int | None) -> dict[str, object] | None:
    """Return what to suggest about a score that moved, or None.

    Who became likely to enrol is called; who became interested and lets us write gets an offer to
    talk; who cools off is asked once whether they still want to hear from us.

    Args:
        score: as the tool `lead_score` tells it.
        before: None for a first score.
    """
    now = int(score["score"])
    if before is not None and now < before:
        return _nudge(score) if before >= MEDIUM and _may_write(score) else None
    if now >= HIGH:
        return _call(score, before, why="score_first" if before is None else "score_rose", hours=4)
    if now < MEDIUM:
        return None
    return _offer(score) if _may_write(score) else _call(score, before, why="score_rose", hours=24)


def _may_write(score: Mapping[str, Any]) -> bool:
    return any(r["feature"] == "consent" and r["level"] == "given" for r in score["reasons"])


def _call(
    score: Mapping[str, Any], before: int | None, *, why: str, hours: int
) -> dict[str, object]:
    locale: Locale = score["language"]
    key = "scoring.call_first" if before is None else "scoring.call_rose"
    draft = say(
        locale, key, name="{name}", before=before, score=score["score"], reasons=_reasons(score)
    )
    return _proposal(score, "call", why, draft, hours)


def _offer(score: Mapping[str, Any]) -> dict[str, object]:
    draft = say(score["language"], "scoring.offer", name="{name}")
    return _proposal(score, "send_template", "score_rose", draft, 24)


def _nudge(score: Mapping[str, Any]) -> dict[str, object]:
    draft = say(score["language"], "scoring.nudge", name="{name}")
    return _proposal(score, "send_template", "score_fell", draft, 72)


def _proposal(
    score: Mapping[str, Any], kind: str, why: str, draft: str, hours: int
) -> dict[str, object]:
    return {
        "lead_id": str(score["lead_id"]),
        "kind": kind,
        "why": why,
        "draft": draft,
        "due_hours": hours,
    }


def _reasons(score: Mapping[str, Any]) -> str:
    """Return what speaks most for the lead, for whoever calls."""
    speaking: Sequence[Mapping[str, Any]] = [r for r in score["reasons"] if r["points"] > 0]
    return "; ".join(f"{r['title']}: {r['found']} (+{r['points']})" for r in speaking[:_TOLD])
