"""Staff mark who was there; a course is completed by those who were there enough."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from crm.actor import Role
from crm.courses.completion.attendance.models import SessionMark
from crm.errors import Denied, NotFound, RuleBroken
from crm.ids import new_id
from crm.journal.idempotency import IdempotencyKey

if TYPE_CHECKING:
    from conftest import Classroom


async def test_marks_are_written_in_bulk_and_corrected(classroom: Classroom, today: date) -> None:
    cohort, days = await classroom.held_cohort(today)
    people = sorted([await classroom.enrol(cohort) for _ in range(3)])
    assert len(days) == 8
    rows = [SessionMark(enrolment, day, "present") for enrolment, _ in people for day in days[:4]]

    assert await classroom.attendance.mark(cohort.code, rows, actor=classroom.advisor) == 12
    changed = [*rows[:11], replace(rows[11], mark="late")]
    assert await classroom.attendance.mark(cohort.id, changed, actor=classroom.advisor) == 1

    first = await classroom.attendance.list_attendance(cohort.id, limit=2, actor=classroom.advisor)
    rest = await classroom.attendance.list_attendance(
        cohort.id, limit=2, cursor=first.page.next_cursor, actor=classroom.advisor
    )
    listed = [*first.page.items, *rest.page.items]
    assert first.sessions.days == days
    assert [(a.enrolment_id, a.person_id) for a in listed] == people
    assert [a.so_far.percent for a in listed] == [50, 50, 43]
    assert listed[2].marks == {**dict.fromkeys(days[:3], "present"), days[3]: "late"}


async def test_marks_that_cannot_be_are_refused_together(classroom: Classroom, today: date) -> None:
    cohort, days = await classroom.held_cohort(today)
    other, _ = await classroom.held_cohort(today)
    (here, _), (gone, _), (elsewhere, _) = (
        await classroom.enrol(cohort),
        await classroom.enrol(cohort, status="withdrawn"),
        await classroom.enrol(other),
    )
    good = SessionMark(here, days[0], "present")
    for bad, kind, code in (
        (
            SessionMark(here, days[0] + timedelta(days=1), "present"),
            RuleBroken,
            "attendance.session",
        ),
        (good, RuleBroken, "attendance.twice"),
        (SessionMark(gone, days[0], "present"), RuleBroken, "enrolment.closed"),
        (SessionMark(elsewhere, days[0], "present"), NotFound, "enrolment.unknown"),
    ):
        with pytest.raises(kind) as refusal:
            await classroom.attendance.mark(cohort.id, [good, bad], actor=classroom.advisor)
        assert refusal.value.code == code
    assert (
        await classroom.count("SELECT count(*) FROM attendance WHERE enrolment_id = %s", here) == 0
    )


async def test_session_to_come_is_not_marked(classroom: Classroom, today: date) -> None:
    cohort = await classroom.catalogue.open_cohort()
    enrolment, _ = await classroom.enrol(cohort)
    with pytest.raises(RuleBroken, match=r"attendance\.future"):
        await classroom.mark(cohort, enrolment, {cohort.starts_on: "present"})
    with pytest.raises(RuleBroken, match=r"completion\.early"):
        await classroom.completion.complete_enrolment(enrolment, actor=classroom.advisor)


async def test_student_reads_only_their_own(classroom: Classroom, today: date) -> None:
    cohort, days = await classroom.held_cohort(today)
    (mine, me), (theirs, _) = await classroom.enrol(cohort), await classroom.enrol(cohort)
    await classroom.mark(cohort, mine, {days[0]: "excused", days[1]: "late"})

    own = await classroom.attendance.get_attendance(mine, actor=classroom.student(me))

    assert own.marks == {days[0]: "excused", days[1]: "late"}
    assert (own.so_far.points, own.so_far.possible) == (1, 14)
    with pytest.raises(NotFound, match=r"enrolment\.unknown"):
        await classroom.attendance.get_attendance(theirs, actor=classroom.student(me))
    for refused in (
        classroom.attendance.list_attendance(cohort.id, actor=classroom.student(me)),
        classroom.attendance.mark(cohort.id, [], actor=classroom.student(me)),
        classroom.completion.complete_enrolment(mine, actor=classroom.student(me)),
    ):
        with pytest.raises(Denied, match=r"auth\.role"):
            await refused


async def test_course_is_completed_once_with_one_event(classroom: Classroom, today: date) -> None:
    done, _ = await classroom.pass_course(today)
    events = "SELECT count(*) FROM outbox WHERE name = %s AND payload->>'enrolment_id' = %s"

    again = await asyncio.gather(
        *(
            classroom.completion.complete_enrolment(done.enrolment_id, actor=classroom.advisor)
            for _ in range(4)
        )
    )

    assert all(other == done for other in again)
    assert done.certificate
    for name in ("CourseCompleted", "CertificateIssued"):
        assert await classroom.count(events, name, str(done.enrolment_id)) == 1
    assert (
        await classroom.count(
            "SELECT count(*) FROM enrolments WHERE id = %s AND status = 'completed' "
            "AND ended_at IS NOT NULL",
            done.enrolment_id,
        )
        == 1
    )


async def test_too_few_sessions_need_an_admins_waiver(classroom: Classroom, today: date) -> None:
    cohort, days = await classroom.held_cohort(today)
    enrolment, _ = await classroom.enrol(cohort)
    await classroom.mark(cohort, enrolment, dict.fromkeys(days[:5], "present"))
    complete = classroom.completion.complete_enrolment
    admin = replace(classroom.advisor, role=Role.ADMIN)

    with pytest.raises(RuleBroken, match=r"completion\.attendance"):
        await complete(enrolment, actor=classroom.advisor)
    with pytest.raises(Denied, match=r"auth\.role"):
        await complete(enrolment, waiver="Estuvo enferma.", actor=classroom.advisor)
    with pytest.raises(RuleBroken, match=r"completion\.waiver"):
        await complete(enrolment, waiver=" ", actor=admin)
    await classroom.mark(cohort, enrolment, {days[5]: "late", days[6]: "excused"})
    assert (await complete(enrolment, actor=classroom.advisor)).certificate

    waived, _ = await classroom.enrol(cohort)
    assert (await complete(waived, waiver="Estuvo enferma.", actor=admin)).certificate


async def test_ended_enrolment_is_neither_completed_nor_marked(
    classroom: Classroom, today: date
) -> None:
    done, _ = await classroom.pass_course(today)
    cohort, _ = await classroom.held_cohort(today)
    withdrawn, _ = await classroom.enrol(cohort, status="withdrawn")
    with pytest.raises(RuleBroken, match=r"enrolment\.closed"):
        await classroom.completion.complete_enrolment(withdrawn, actor=classroom.advisor)
    with pytest.raises(NotFound, match=r"enrolment\.unknown"):
        await classroom.completion.complete_enrolment(new_id(), actor=classroom.advisor)
    assert isinstance(done.cohort_id, UUID)


async def test_repeated_marking_with_one_key_says_the_same(
    classroom: Classroom, today: date
) -> None:
    cohort, days = await classroom.held_cohort(today)
    enrolment, _ = await classroom.enrol(cohort)
    key = IdempotencyKey("test", str(new_id()), classroom.advisor.subject_id)
    rows = [SessionMark(enrolment, days[0], "present")]
    for _ in range(2):
        changed = await classroom.attendance.mark(
            cohort.id, rows, actor=classroom.advisor, idempotency=key
        )
        assert changed == 1
