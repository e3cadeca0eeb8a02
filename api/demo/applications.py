"""Makes up what a few students wrote to be given a scholarship, sealed as such texts are."""

import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from api.demo.business_rows import ApplicationRow
from api.demo.material import Locale
from api.demo.seeded_ids import Kind, seeded_id
from api.demo.students import Student
from crm.db import UnitOfWork
from crm.ids import PersonId

#: One student in so many asks.
_EVERY = 97
_STATEMENTS: dict[Locale, str] = {
    "es": "Trabajo medio tiempo y quiero terminar el curso este año; la beca me ayudaría.",
    "en": "I work part time and want to finish this course this year; the grant would allow it.",
}


async def applications_of(
    uow: UnitOfWork, students: Sequence[Student], *, seed: int, scholarships: Sequence[str]
) -> list[ApplicationRow]:
    """Return the applications of those students who ask; they await an answer."""
    asking = [s for s in students if s.index % _EVERY == 0] if scholarships else []
    return [await _application(uow, student, seed, scholarships) for student in asking]


async def _application(
    uow: UnitOfWork, student: Student, seed: int, scholarships: Sequence[str]
) -> ApplicationRow:
    dice = random.Random(f"{seed}/grant/{student.index}")  # noqa: S311
    key = await uow.key(PersonId(UUID(student.id)))
    assert key is not None, "nobody erased somebody new"  # noqa: S101
    at = uow.clock.now()
    known_for = (at - student.joined_at).total_seconds()
    return ApplicationRow(
        id=seeded_id(seed, Kind.APPLICATION, student.index),
        scholarship_code=dice.choice(scholarships),
        person_id=student.id,
        subject_id=student.id,
        status="requested",
        statement=key.seal(_STATEMENTS[student.locale].encode()),
        requested_at=at - timedelta(seconds=dice.random() * known_for / 4),
    )
