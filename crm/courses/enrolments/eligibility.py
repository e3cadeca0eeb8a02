"""Who may take a seat of a cohort, whether or not there is one."""

from crm.courses.enrolments import store
from crm.courses.enrolments.models import check_standing
from crm.courses.models import Cohort
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.ids import PersonId


async def require_eligible(
    uow: UnitOfWork, person_id: PersonId, cohort: Cohort, *, waived: bool
) -> None:
    """Check that a person may take a seat of a locked cohort, and that this stays so.

    Until the transaction ends nobody else takes a seat of the course for this person.

    Raises: NotFound("person.unknown"); RuleBroken: see `models.check_standing`.
    """
    await store.lock_course_of_person(uow.conn, person_id, cohort.course_code)
    standing = await store.select_standing(uow.conn, person_id, cohort, at=uow.clock.now())
    if standing is None:
        raise NotFound("person.unknown", "There is no such person.")
    check_standing(standing, waived=waived, at=uow.clock.now())
