"""Use cases of attendance: staff mark it, students read their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from crm.actor import Actor
from crm.courses import cohort_store
from crm.courses.completion import store as completion
from crm.courses.completion.attendance import models, store
from crm.courses.completion.attendance.models import (
    Attendance,
    CohortSessions,
    SessionMark,
    sessions_of,
    share_of,
)
from crm.courses.completion.events import AttendanceMarked
from crm.courses.completion.models import CompletionPolicy
from crm.db import Connection, Database, UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import INSTITUTION
from crm.journal.audit import performed
from crm.journal.idempotency import IdempotencyKey
from crm.once import do_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import owner_of
from crm.people.reads import record_read


@dataclass(frozen=True, slots=True)
class CohortAttendance:
    """A cohort's sessions and a page of who was there."""

    sessions: CohortSessions
    page: Page[Attendance]


class AttendanceService:
    """Who was at which session."""

    def __init__(self, database: Database, policy: CompletionPolicy) -> None:
        self._db = database
        self._policy = policy

    async def mark(
        self,
        cohort: str | UUID,
        marks: Sequence[SessionMark],
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> int:
        """Write down who was at sessions of a cohort; returns how many marks changed; staff only.

        Raises:
            Denied("auth.role"); NotFound("cohort.unknown").
            NotFound("enrolment.unknown"): not of this cohort.
            RuleBroken("enrolment.closed"): completed, withdrawn or transferred.
            RuleBroken: see `models.check_marks`.
        """
        require(actor, Area.ENROLMENTS, write=True)
        async with self._db.transaction() as uow:

            async def work() -> int:
                sessions = await _sessions(uow.conn, cohort, at=uow.clock.now())
                models.check_marks(marks, sessions, today=self._today(uow))
                await _require_open(uow, sessions, marks)
                return await _write(uow, sessions, marks, actor)

            arguments = {"cohort": cohort, "marks": [_plain(m) for m in marks]}
            return await do_once(uow, idempotency, arguments, work, kind=int)

    async def list_attendance(
        self, cohort: str | UUID, *, cursor: str | None = None, limit: int = 50, actor: Actor
    ) -> CohortAttendance:
        """Return a cohort's sessions and who was there, by enrolment; staff only, audited.

        Raises: Denied("auth.role"); NotFound("cohort.unknown"); RuleBroken("page.cursor").
        """
        require(actor, Area.ENROLMENTS)
        after = decode_cursor(cursor, UUID)
        async with self._db.audited_read() as uow:
            sessions = await _sessions(uow.conn, cohort, at=uow.clock.now())
            rows = await store.select_enrolled(
                uow.conn, sessions.cohort_id, after=after[0] if after else None, limit=limit + 1
            )
            marks = await store.select_marks(uow.conn, [r.id for r in rows])
            held = [day for day in sessions.days if day <= self._today(uow)]
            found = [
                Attendance(
                    enrolment_id=r.id,
                    person_id=r.person_id,
                    status=r.status,
                    marks=marks.get(r.id, {}),
                    so_far=share_of(held, marks.get(r.id, {})),
                )
                for r in rows
            ]
            page = page_of(found, limit, lambda a: encode_cursor(a.enrolment_id))
            _record_read(uow, page.items, actor)
        return CohortAttendance(sessions, page)

    async def get_attendance(self, enrolment_id: UUID, *, actor: Actor) -> Attendance:
        """Return an enrolment's marks, a student's own only; staff's reading is audited.

        Raises: NotFound("enrolment.unknown"); Denied("identity.level" | "auth.role").
        """
        owner = owner_of(actor)
        if owner is None:
            require(actor, Area.ENROLMENTS)
        async with self._db.audited_read() as uow:
            studies = await completion.select_studies(uow.conn, enrolment_id, owner=owner)
            if studies is None:
                raise NotFound("enrolment.unknown", "There is no such enrolment.")
            marks = (await store.select_marks(uow.conn, [enrolment_id])).get(enrolment_id, {})
            held = [day for day in studies.sessions if day <= self._today(uow)]
            found = Attendance(
                enrolment_id=enrolment_id,
                person_id=studies.person_id,
                status=studies.status,
                marks=marks,
                so_far=share_of(held, marks),
            )
            _record_read(uow, [found], actor)
        return found

    def _today(self, uow: UnitOfWork) -> date:
        return self._policy.day_of(uow.clock.now())


async def _sessions(conn: Connection, cohort: str | UUID, *, at: datetime) -> CohortSessions:
    found = await cohort_store.select_cohort(conn, cohort, at=at)
    if found is None:
        raise NotFound("cohort.unknown", "There is no such cohort.")
    days = sessions_of(found.starts_on, found.ends_on, found.schedule.days)
    return CohortSessions(found.id, days)


async def _require_open(
    uow: UnitOfWork, sessions: CohortSessions, marks: Sequence[SessionMark]
) -> None:
    wanted = {m.enrolment_id for m in marks}
    found = await store.lock_open(uow.conn, sessions.cohort_id, sorted(wanted))
    if wanted - found.keys():
        raise NotFound("enrolment.unknown", "There is no such enrolment in this cohort.")
    if set(found.values()) - {"confirmed"}:
        raise RuleBroken("enrolment.closed", "An enrolment of these has ended.")


async def _write(
    uow: UnitOfWork, sessions: CohortSessions, marks: Sequence[SessionMark], actor: Actor
) -> int:
    changed = await store.upsert_marks(uow.conn, marks, staff_id=actor.staff_id, at=uow.clock.now())
    uow.publish(AttendanceMarked(cohort_id=sessions.cohort_id))
    uow.audit(
        performed(
            actor,
            "attendance.mark",
            about=INSTITUTION,
            payload={
                "cohort_id": str(sessions.cohort_id),
                "marks": [_plain(m) for m in marks],
                "changed": changed,
            },
        )
    )
    return changed


def _plain(mark: SessionMark) -> list[str]:
    return [str(mark.enrolment_id), mark.session_on.isoformat(), mark.mark]


def _record_read(uow: UnitOfWork, shown: Sequence[Attendance], actor: Actor) -> None:
    payload = {"enrolments": [str(a.enrolment_id) for a in shown]}
    people = [a.person_id for a in shown]
    record_read(uow, "attendance.read", actor=actor, people=people, payload=payload)
