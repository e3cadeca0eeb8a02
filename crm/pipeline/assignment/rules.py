"""Who is next: a pure choice."""

from collections.abc import Iterable
from dataclasses import dataclass

from crm.ids import StaffId

#: An advisor who looks after this many open leads gets no more by the rule.
MAX_LOAD = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An advisor on duty.

    Args:
        areas: fields of study they know; empty is every one.
        load: open leads they look after.
        turn: when the rule last gave them one, as a count; 0 is never.
    """

    staff_id: StaffId
    languages: frozenset[str]
    areas: frozenset[str]
    load: int
    turn: int


def choose(
    candidates: Iterable[Candidate], *, language: str, area: str | None, max_load: int = MAX_LOAD
) -> StaffId | None:
    """Return who should look after a lead: of those who fit, the least busy, then in turn.

    Args:
        area: of the programme or course; None asks for no particular knowledge.
    Returns: None when nobody fits.
    """
    fit = [c for c in candidates if _fits(c, language, area) and c.load < max_load]
    if not fit:
        return None
    return min(fit, key=lambda c: (c.load, c.turn, c.staff_id)).staff_id


def _fits(candidate: Candidate, language: str, area: str | None) -> bool:
    knows = area is None or not candidate.areas or area in candidate.areas
    return knows and language in candidate.languages
