"""Attendance and completion over HTTP, for staff."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from api.bodies import Body, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.moments import Day
from api.routes.certificates import CertificateOut
from api.routes.cohorts import CohortPath, cohort_key
from api.routes.quotes import EnrolmentReader, EnrolmentWriter
from api.routing import Chapter
from crm.courses.completion.attendance.models import Attendance, Mark, SessionMark
from crm.courses.completion.models import MAX_WAIVER

router = Chapter(prefix="/v1", tags=["completion"])

#: As many as fit into a request's body.
MAX_MARKS = 500


class SessionMarkOut(BaseModel):
    """Whether somebody was at a session."""

    session_on: date
    mark: Mark


class AttendanceOut(BaseModel):
    """An enrolment's marks; the share is of the sessions held so far, in whole percent."""

    enrolment_id: UUID
    person_id: UUID
    status: str
    marks: list[SessionMarkOut]
    percent: int | None

    @classmethod
    def of(cls, attendance: Attendance) -> Self:
        """Return attendance for the wire."""
        return cls(
            enrolment_id=attendance.enrolment_id,
            person_id=attendance.person_id,
            status=attendance.status,
            marks=[SessionMarkOut(session_on=d, mark=m) for d, m in attendance.marks.items()],
            percent=attendance.so_far.percent,
        )


class AttendancePage(BaseModel):
    """A cohort's sessions, and a page of who was there."""

    sessions: list[date]
    items: list[AttendanceOut]
    next_cursor: str | None


class MarkBody(Body):
    """Whether somebody was at a session."""

    enrolment_id: UUID
    session_on: Day
    mark: Mark


class Marks(Body):
    """What to write down; all of it or, if anything is refused, none."""

    marks: Annotated[list[MarkBody], Field(min_length=1, max_length=MAX_MARKS)]


class MarksChanged(BaseModel):
    """How many marks are new or differ from before."""

    changed: int


class CompletionBody(Body):
    """Why attendance does not matter for this one; admins only."""

    waiver: Annotated[str | None, Field(min_length=1, max_length=MAX_WAIVER)] = None


class CompletionOut(Out):
    """A completed enrolment, with its certificate where the course gives one."""

    enrolment_id: UUID
    person_id: UUID
    cohort_id: UUID
    course_code: str
    completed_at: datetime
    certificate: CertificateOut | None
    withheld: Annotated[
        bool, Field(description="Payments are pending; the certificate follows when they are made")
    ]


@router.get("/cohorts/{cohort}/attendance", summary="Read a cohort's attendance")
async def list_attendance(
    cohort: CohortPath, staff: EnrolmentReader, services: ServicesDep, page: PageDep
) -> AttendancePage:
    """Return a cohort's sessions and who was there, by enrolment; the reading is audited."""
    found = await services.attendance.list_attendance(
        cohort_key(cohort), cursor=page.cursor, limit=page.limit, actor=staff
    )
    return AttendancePage(
        sessions=list(found.sessions.days),
        items=[AttendanceOut.of(attendance) for attendance in found.page.items],
        next_cursor=found.page.next_cursor,
    )


@router.post("/cohorts/{cohort}/attendance", summary="Mark attendance")
async def mark_attendance(
    cohort: CohortPath,
    body: Marks,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> MarksChanged:
    """Write down who was at sessions, new marks and corrections alike."""
    marks = [SessionMark(m.enrolment_id, m.session_on, m.mark) for m in body.marks]
    changed = await services.attendance.mark(
        cohort_key(cohort), marks, actor=staff, idempotency=idempotency
    )
    return MarksChanged(changed=changed)


@router.get("/enrolments/{enrolment_id}/attendance", summary="Read an enrolment's attendance")
async def get_attendance(
    enrolment_id: UUID, staff: EnrolmentReader, services: ServicesDep
) -> AttendanceOut:
    """Return an enrolment's marks by session; the reading is audited."""
    return AttendanceOut.of(await services.attendance.get_attendance(enrolment_id, actor=staff))


@router.post("/enrolments/{enrolment_id}/complete", summary="Complete an enrolment")
async def complete_enrolment(
    enrolment_id: UUID,
    body: CompletionBody,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> CompletionOut:
    """Let somebody pass a course they attended, and issue its certificate if all is paid."""
    done = await services.completion.complete_enrolment(
        enrolment_id, waiver=body.waiver, actor=staff, idempotency=idempotency
    )
    return CompletionOut.model_validate(done)
