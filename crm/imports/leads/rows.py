"""What a line about a lead says beside whom it is about: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from crm.errors import RuleBroken
from crm.imports.models import Field
from crm.imports.people.rows import FIELDS as PERSON_FIELDS
from crm.pipeline.models import LeadSource, LostReason, Stage

FIELDS = (
    *PERSON_FIELDS,
    Field("source", ("fuente", "origen", "canal")),
    Field("programme_code", ("programme", "program", "programa", "codigo_programa")),
    Field("course_code", ("course", "curso", "codigo_curso")),
    Field("term", ("intake", "periodo", "semestre", "ingreso")),
    Field("stage", ("etapa", "estado", "status")),
    Field("lost_reason", ("motivo", "reason")),
    Field("owner_email", ("owner", "advisor", "asesor", "responsable")),
)
_TERM_MAX = 20
_SPANISH: Mapping[str, Stage] = {
    "consulta": "inquiry",
    "interesado": "lead",
    "postulante": "applicant",
    "admitido": "admitted",
    "matriculado": "enrolled",
    "perdido": "lost",
}


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A readable interest; codes and the owner's address are yet to be found."""

    source: LeadSource
    programme_code: str | None
    course_code: str | None
    term: str
    stage: Stage
    lost_reason: LostReason | None
    owner_email: str | None

    @property
    def thing(self) -> str:
        """Return what a person has at most one open lead for, as one word."""
        return f"{self.programme_code or ''}|{self.course_code or ''}|{self.term}"

    @property
    def is_open(self) -> bool:
        """Return whether it may still become an enrolment."""
        return self.stage not in ("enrolled", "lost")


def read_lead(cells: Mapping[str, str]) -> LeadRow:
    """Return the interest of a line.

    Raises: RuleBroken: `lead.source`, `.stage`, `.reason`, `.interest`, `.term`.
    """
    get = cells.get
    programme, course = (get("programme_code") or "").upper(), (get("course_code") or "").upper()
    if programme and course:
        raise RuleBroken("lead.interest", "A lead is about a programme or a course, not both.")
    term = get("term") or ""
    if len(term) > _TERM_MAX:
        raise RuleBroken("lead.term", f"A term has at most {_TERM_MAX} characters.")
    stage = _stage(get("stage") or "inquiry")
    return LeadRow(
        source=_word(get("source") or "import", get_args(LeadSource), "lead.source"),
        programme_code=programme or None,
        course_code=course or None,
        term=term,
        stage=stage,
        lost_reason=_reason(stage, get("lost_reason")),
        owner_email=(get("owner_email") or "").lower() or None,
    )


def _stage(text: str) -> Stage:
    word = text.lower()
    return _SPANISH.get(word) or _word(word, get_args(Stage), "lead.stage")


def _reason(stage: Stage, text: str | None) -> LostReason | None:
    if stage != "lost":
        return None
    reason: LostReason = _word(text or "other", get_args(LostReason), "lead.reason")
    return reason


def _word(text: str, words: tuple[str, ...], code: str) -> Any:
    word = text.lower().replace(" ", "_")
    if word not in words:
        raise RuleBroken(code, f"This is none of {', '.join(words)}.")
    return word
