"""Makes up what students were interested in: leads, what happened with them, and tasks."""

import json
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from api.demo.business_rows import ActivityRow, LeadRow, LeadStageRow, TaskRow
from api.demo.material import CourseFacts, Locale, Material
from api.demo.rows import Batch, EnrolmentRow
from api.demo.seeded_ids import Kind, seeded_id
from api.demo.students import Student
from crm.pipeline.models import FORWARD

ACTIVITIES = 10
_SOURCES = ("web_form", "widget", "whatsapp", "referral", "event", "import")
_SOURCE_WEIGHTS = (30, 25, 20, 10, 8, 7)
_REASONS = ("price", "schedule", "no_answer", "elsewhere", "not_eligible", "other")
#: How far those who have not enrolled came; five is lost.
_STAGE_WEIGHTS = (25, 25, 15, 8, 27)
_TAKES_MORE = 0.15
_HAS_TASK = 0.25
_LOOKED_AFTER = 0.9

#: What happened, in which direction, and what is noted of it.
_HAPPENINGS: tuple[tuple[str, str | None, str], ...] = tuple(
    (kind, direction, json.dumps(about))
    for kind, direction, about in (
        ("page_visit", None, {"page": "/courses"}),
        ("page_visit", None, {"page": "/programmes"}),
        ("page_visit", None, {"page": "/fees"}),
        ("message", "in", {"channel": "widget"}),
        ("message", "out", {"channel": "whatsapp"}),
        ("call", "out", {"minutes": 6}),
        ("email", "out", {"template": "course_details"}),
        ("email", "in", {"subject": "course"}),
        ("form", "in", {"form": "information"}),
    )
)
_TITLES: dict[Locale, tuple[str, ...]] = {
    "es": ("Llamar para resolver dudas", "Enviar el plan de estudios", "Revisar documentos"),
    "en": ("Call about open questions", "Send the curriculum", "Check documents"),
}


@dataclass(frozen=True, slots=True)
class Seat:
    """An enrolment of a student, wished for or real, with its course."""

    row: EnrolmentRow
    course: CourseFacts
    starts_on: date


class InterestMaker:
    """Writes leads, activities and tasks into a batch.

    Args:
        now: nothing happened after it.
    """

    def __init__(self, material: Material, *, seed: int, now: datetime) -> None:
        self._material = material
        self._seed = seed
        self._now = now

    def write(
        self,
        student: Student,
        seats: Sequence[Seat],
        wish: Seat | None,
        dice: random.Random,
        batch: Batch,
    ) -> None:
        """Add what a student was interested in and what happened then.

        Args:
            wish: a course that there was no seat of.
        """
        leads = [self._enrolled(student, n, seat, dice, batch) for n, seat in enumerate(seats)]
        if wish is not None or not seats or dice.random() < _TAKES_MORE:
            leads.append(self._open(student, len(leads), wish, dice, batch))
        leads.sort(key=lambda lead: lead.created_at)
        times = self._write_activities(student, leads, dice, batch)
        batch.leads += [lead._replace(last_activity_at=max(times[lead.id])) for lead in leads]
        if dice.random() < _HAS_TASK:
            self._write_task(student, leads[-1], dice, batch)

    def _enrolled(
        self, student: Student, number: int, seat: Seat, dice: random.Random, batch: Batch
    ) -> LeadRow:
        began = _between(student.joined_at, seat.row.confirmed_at, dice)
        draft = self._lead(student, number, dice, began)._replace(
            course_code=seat.course.code, term=_term(seat.starts_on)
        )
        return self._walk(draft, student, number, FORWARD, seat.row.confirmed_at, dice, batch)

    def _open(
        self,
        student: Student,
        number: int,
        wish: Seat | None,
        dice: random.Random,
        batch: Batch,
    ) -> LeadRow:
        """Make up the lead of somebody who is still deciding, or decided against it."""
        draft = self._lead(student, number, dice, _between(student.joined_at, self._now, dice))
        if wish is not None:
            draft = draft._replace(course_code=wish.course.code, term=_term(wish.starts_on))
        elif dice.random() < 0.6 and self._material.programmes:
            draft = draft._replace(programme_code=dice.choice(self._material.programmes))
        else:
            draft = draft._replace(course_code=dice.choice(self._material.courses).code)
        reached = dice.choices((1, 2, 3, 4, 5), _STAGE_WEIGHTS)[0]
        path: tuple[str, ...] = FORWARD[:reached]
        if reached == len(FORWARD):
            path = (*FORWARD[: dice.randint(1, 4)], "lost")
            draft = draft._replace(lost_reason=dice.choice(_REASONS))
        return self._walk(draft, student, number, path, None, dice, batch)

    def _lead(self, student: Student, number: int, dice: random.Random, began: datetime) -> LeadRow:
        looked_after = dice.random() < _LOOKED_AFTER
        return LeadRow(
            id=seeded_id(self._seed, Kind.LEAD, student.index, number),
            person_id=student.id,
            source=dice.choices(_SOURCES, _SOURCE_WEIGHTS)[0],
            programme_code=None,
            course_code=None,
            term="",
            language=student.locale,
            stage="inquiry",
            lost_reason=None,
            staff_id=dice.choice(self._material.advisors) if looked_after else None,
            version=1,
            created_at=began,
            stage_since=began,
            last_activity_at=began,
        )

    def _walk(
        self,
        draft: LeadRow,
        student: Student,
        number: int,
        path: Sequence[str],
        ends: datetime | None,
        dice: random.Random,
        batch: Batch,
    ) -> LeadRow:
        """Add the history that led to where a lead is, and return it there."""
        until = ends or self._now
        times = sorted(_between(draft.created_at, until, dice) for _ in path[1:])
        if ends is not None:
            times[-1] = ends
        times.insert(0, draft.created_at)
        before: str | None = None
        for place, (stage, at) in enumerate(zip(path, times, strict=True)):
            batch.lead_stages.append(
                LeadStageRow(
                    id=seeded_id(self._seed, Kind.LEAD_STAGE, student.index, number * 8 + place),
                    lead_id=draft.id,
                    from_stage=before,
                    to_stage=stage,
                    reason=draft.lost_reason if stage == "lost" else None,
                    staff_id=draft.staff_id,
                    occurred_at=at,
                )
            )
            before = stage
        return draft._replace(stage=path[-1], version=len(path), stage_since=times[-1])

    def _write_activities(
        self, student: Student, leads: Sequence[LeadRow], dice: random.Random, batch: Batch
    ) -> dict[str, list[datetime]]:
        """Add what happened; returns when, by lead."""
        began = [lead.created_at for lead in leads]
        found: dict[str, list[datetime]] = {lead.id: [lead.stage_since] for lead in leads}
        span = (self._now - student.joined_at).total_seconds()
        seconds = sorted(span * dice.random() for _ in range(ACTIVITIES))
        happened = zip(seconds, dice.choices(_HAPPENINGS, k=ACTIVITIES), strict=True)
        for number, (second, (kind, direction, about)) in enumerate(happened):
            at = student.joined_at + timedelta(seconds=second)
            place = bisect_right(began, at)
            lead = leads[place - 1] if place else None
            if lead is not None:
                found[lead.id].append(at)
            batch.activities.append(
                ActivityRow(
                    id=seeded_id(self._seed, Kind.ACTIVITY, student.index, number),
                    person_id=student.id,
                    lead_id=lead.id if lead else None,
                    kind=kind,
                    direction=direction,
                    about=about,
                    staff_id=lead.staff_id if lead and direction == "out" else None,
                    occurred_at=at,
                )
            )
        return found

    def _write_task(
        self, student: Student, lead: LeadRow, dice: random.Random, batch: Batch
    ) -> None:
        status = dice.choices(("open", "done", "cancelled"), (60, 32, 8))[0]
        created_at = _between(lead.created_at, self._now, dice)
        closed_at = None if status == "open" else _between(created_at, self._now, dice)
        batch.tasks.append(
            TaskRow(
                id=seeded_id(self._seed, Kind.TASK, student.index),
                person_id=student.id,
                lead_id=lead.id,
                title=dice.choice(_TITLES[student.locale]),
                staff_id=lead.staff_id,
                due_at=self._due_at(status, created_at, dice),
                status=status,
                created_at=created_at,
                updated_at=closed_at or created_at,
                closed_at=closed_at,
            )
        )

    def _due_at(self, status: str, created_at: datetime, dice: random.Random) -> datetime:
        """Return when a task is due; one in ten that are open is late."""
        if status != "open":
            return created_at + timedelta(days=dice.randint(1, 7))
        hours = dice.randint(1, 240)
        return self._now + timedelta(hours=hours if dice.random() < 0.9 else -hours)


def _between(start: datetime, end: datetime, dice: random.Random) -> datetime:
    return start + (end - start) * dice.random()


def _term(day: date) -> str:
    return f"{day.year}-{1 if day.month <= 6 else 2}"
