"""Use cases of enrolments: look them up, withdraw, transfer."""

from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.courses.enrolments import acts, store
from crm.courses.enrolments.models import Enrolment, EnrolmentFilters, EnrolmentId
from crm.courses.models import CohortId
from crm.courses.seats.authority import seat_owner
from crm.courses.seats.models import SeatPolicy
from crm.db import Database, UnitOfWork
from crm.ids import PersonId
from crm.journal.audit import shown
from crm.journal.idempotency import IdempotencyKey
from crm.once import run_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import audits_reads


class EnrolmentService:
    """Seats that people keep."""

    def __init__(self, database: Database, policy: SeatPolicy) -> None:
        self._db = database
        self.policy = policy

    async def get_enrolment(self, enrolment_id: EnrolmentId, *, actor: Actor) -> Enrolment:
        """Return an enrolment: staff any, a student their own; what staff read is audited.

        Raises: NotFound("enrolment.unknown"); Denied("auth.role" | "identity.level").
        """
        async with self._db.audited_read() as uow:
            enrolment = await acts.find_enrolment(uow, enrolment_id, actor, write=False)
            if audits_reads(actor):
                uow.audit(shown(actor, "enrolment.read", (enrolment.person_id,)))
        return enrolment

    async def find_own(
        self, uow: UnitOfWork, cohort_id: CohortId, *, person_id: PersonId
    ) -> Enrolment | None:
        """Return the seat that somebody keeps in a cohort, if they do."""
        filters = EnrolmentFilters(cohort_id=cohort_id, status="confirmed")
        found = await store.select_enrolments(
            uow.conn, filters, owner=person_id, after=None, limit=1
        )
        return found[0] if found else None

    async def list_enrolments(
        self,
        filters: EnrolmentFilters | None = None,
        *,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[Enrolment]:
        """Return enrolments, newest first: staff any, a student their own.

        Raises: Denied("auth.role" | "identity.level"); RuleBroken("page.cursor").
        """
        owner = seat_owner(actor, write=False)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await store.select_enrolments(
                uow.conn, filters or EnrolmentFilters(), owner=owner, after=after, limit=limit + 1
            )
            page = page_of(rows, limit, lambda e: encode_cursor(e.confirmed_at, e.id))
            if audits_reads(actor):
                seen = tuple(enrolment.person_id for enrolment in page.items)
                uow.audit(shown(actor, "enrolment.list", seen))
        return page

    async def transfer_enrolment(
        self,
        enrolment_id: EnrolmentId,
        to_cohort_id: CohortId,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Enrolment:
        """Change to another cohort of the same course.

        Raises: as `acts.transfer_enrolment`; Conflict("idempotency.mismatch").
        """
        return await run_once(
            self._db,
            idempotency,
            {"enrolment_id": enrolment_id, "to_cohort_id": to_cohort_id},
            lambda uow: acts.transfer_enrolment(
                uow,
                enrolment_id=enrolment_id,
                to_cohort_id=to_cohort_id,
                actor=actor,
                policy=self.policy,
            ),
            kind=Enrolment,
            about=lambda enrolment: enrolment.person_id,
        )
