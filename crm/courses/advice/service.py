"""Use cases of advice: what it stands on, and what a person does not want to hear of again."""

from uuid import UUID
from zoneinfo import ZoneInfo

from crm.actor import Actor, IdentityLevel
from crm.clock import day_in
from crm.courses.advice import store
from crm.courses.advice.models import StudyRecord
from crm.db import Database, UnitOfWork
from crm.errors import Denied, NotFound
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.people import store as people
from crm.people.reads import record_read


class AdviceService:
    """What is known of people who are advised on courses.

    Args:
        time_zone: the institution's; it decides which classes still run.
    """

    def __init__(self, database: Database, *, time_zone: str = "UTC") -> None:
        self._db = database
        self._zone = ZoneInfo(time_zone)

    async def own_record(self, *, conversation_id: UUID | None, actor: Actor) -> StudyRecord:
        """Return what may be known of the student who asks: of a visitor their refusals alone."""
        if actor.is_staff:
            raise Denied("auth.student", "This is for students.")
        async with self._db.read() as conn:
            return await store.select_record(
                conn,
                known_person(actor),
                conversation_id=conversation_id,
                today=day_in(self._zone, self._db.clock.now()),
            )

    async def record_of(self, person_id: PersonId, *, actor: Actor) -> StudyRecord:
        """Return what is known of a person, for staff; the reading is audited.

        Raises: Denied("auth.role"); NotFound("person.unknown").
        """
        require(actor, Area.PEOPLE)
        async with self._db.audited_read() as uow:
            person = await people.select_person(uow.conn, person_id, owner=None)
            if person is None or person.status != "active":
                raise NotFound("person.unknown", "There is no such person.")
            today = day_in(self._zone, self._db.clock.now())
            record = await store.select_record(
                uow.conn, person_id, conversation_id=None, today=today
            )
            record_read(uow, "person.study_record", actor=actor, people=(person_id,))
        return record

    async def set_aside(
        self,
        uow: UnitOfWork,
        course_code: str,
        *,
        dismissed: bool,
        conversation_id: UUID | None,
        actor: Actor,
    ) -> None:
        """Remember that the student does not want a course, or forget it.

        Who is known is remembered from one conversation to the next, for advice alone, until they
        take it back or are erased; of anybody else only the conversation keeps it.

        Raises: Denied("identity.person"): nothing to remember it by.
        """
        person_id = known_person(actor)
        if person_id is None and conversation_id is None:
            raise Denied("identity.person", "This session belongs to nobody we know.")
        if dismissed:
            await store.insert_dismissal(
                uow.conn,
                course_code,
                person_id=person_id,
                conversation_id=conversation_id,
                at=uow.clock.now(),
            )
        else:
            await store.delete_dismissals(
                uow.conn, course_code, person_id=person_id, conversation_id=conversation_id
            )


def known_person(actor: Actor) -> PersonId | None:
    """Return the student whose history may be used: only one who proved who they are."""
    return actor.person_id if actor.level >= IdentityLevel.VERIFIED else None
