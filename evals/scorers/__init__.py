"""What can be graded: one scorer a file, each for some fields of `Expectations`."""

from collections.abc import Callable
from dataclasses import dataclass

from evals.evidence import Evidence
from evals.scenario import Expectations
from evals.score import Score
from evals.scorers import (
    citations,
    completion,
    confirmations,
    disclosure,
    facts,
    final_state,
    handoff,
    language,
    length,
    offers,
    phrases,
    refusals,
    replies,
    tickets,
    tools_called,
    tools_not_called,
)

Grade = Callable[[Expectations, Evidence], Score]


@dataclass(frozen=True, slots=True)
class Scorer:
    """One thing that is graded.

    Args:
        fields: of `Expectations`; any of them calls for it. None calls for it always.
    """

    name: str
    grade: Grade
    fields: tuple[str, ...] = ()

    def is_called_for(self, expect: Expectations) -> bool:
        """Return whether the expectations say something about it."""
        return not self.fields or any(getattr(expect, f) is not None for f in self.fields)


SCORERS: tuple[Scorer, ...] = (
    Scorer("completion", completion.grade),
    Scorer("tools_called", tools_called.grade, ("tools_called",)),
    Scorer("tools_not_called", tools_not_called.grade, ("tools_not_called",)),
    Scorer("citations", citations.grade, ("cites", "cites_all", "cites_none")),
    Scorer("phrases", phrases.grade, ("contains_any", "contains_none")),
    Scorer("facts", facts.grade, ("contains_fact",)),
    Scorer("language", language.grade, ("language",)),
    Scorer("handoff", handoff.grade, ("handoff",)),
    Scorer("offers", offers.grade, ("offers",)),
    Scorer("confirmations", confirmations.grade, ("confirmation",)),
    Scorer("tickets", tickets.grade, ("tickets",)),
    Scorer("refusals", refusals.grade, ("refused_tool",)),
    Scorer("disclosure", disclosure.grade, ("discloses_not", "discloses_nothing_of")),
    Scorer("replies", replies.grade, ("replies",)),
    Scorer("length", length.grade, ("max_words",)),
    Scorer("final_state", final_state.grade, ("final_state",)),
)
