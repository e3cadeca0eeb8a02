"""Turns what the CRM knows of leads into their features, many at a time: pure rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from crm.ids import PersonId
from crm.pipeline.models import LeadId

#: A feature's values, one a lead: numbers with NaN for what is not known, or words.
Column = NDArray[Any]
Columns = Mapping[str, Column]


class LeadFacts(NamedTuple):
    """What is known of a lead at a moment; days may be fractions, and None is not known.

    Args:
        silent_days: since the person last gave a sign, or since the lead began.
        tries: contacts of ours in 30 days.
        response_hours: business hours that our first response took.
        last_score: of its last line, with the model and the cells of that.
    """

    lead_id: UUID
    person_id: UUID
    source: str
    stage: str
    has_programme: bool
    has_course: bool
    silent_days: float
    stage_days: float
    messages: int
    visits: int
    forms: int
    meetings: int
    tries: int
    response_hours: float | None
    has_consent: bool
    last_score: int | None = None
    last_model: str | None = None
    last_cells: bytes | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The leads of a batch, by columns: row by row, 100,000 of them would take too long."""

    lead_ids: Sequence[LeadId]
    person_ids: Sequence[PersonId]
    columns: Columns
    last_scores: Sequence[int | None]
    last_models: Sequence[str | None]
    last_cells: Sequence[bytes | None]


def batch_of(rows: Sequence[LeadFacts]) -> Batch:
    """Return the features of leads."""
    facts: dict[str, Sequence[Any]] = dict(zip(LeadFacts._fields, zip(*rows, strict=True)))  # noqa: B905
    messages, tries = _numbers(facts["messages"]), _numbers(facts["tries"])
    course, programme = np.array(facts["has_course"]), np.array(facts["has_programme"])
    columns: dict[str, Column] = {
        name: _numbers(facts[name])
        for name in (
            "silent_days",
            "stage_days",
            "messages",
            "visits",
            "forms",
            "meetings",
            "response_hours",
        )
    }
    columns |= {
        "unanswered": np.where(messages > 0, 0.0, tries),
        "source": np.array(facts["source"]),
        "stage": np.array(facts["stage"]),
        "interest": np.where(course, "course", np.where(programme, "programme", "none")),
        "consent": np.where(np.array(facts["has_consent"]), "given", "none"),
    }
    return Batch(
        lead_ids=facts["lead_id"],
        person_ids=facts["person_id"],
        columns=columns,
        last_scores=facts["last_score"],
        last_models=facts["last_model"],
        last_cells=facts["last_cells"],
    )


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)  # None becomes NaN
