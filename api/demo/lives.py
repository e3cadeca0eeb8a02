"""Makes up what followed from wishes and enrolments: interests, fees, and waiting for a seat."""

import random
from collections.abc import Set
from datetime import datetime

from api.demo.business_rows import WaitlistRow
from api.demo.fees import FeeMaker
from api.demo.interests import InterestMaker, Seat
from api.demo.material import Material
from api.demo.rows import Batch, EnrolmentRow
from api.demo.seeded_ids import Kind, seeded_id
from api.demo.students import Student


class LifeMaker:
    """Writes what followed into a batch, once it is known who got a seat.

    Args:
        now: nothing happened after it.
    """

    def __init__(self, material: Material, *, seed: int, now: datetime) -> None:
        self._seed = seed
        self._interests = InterestMaker(material, seed=seed, now=now)
        self._fees = FeeMaker(seed=seed, now=now)
        self._courses = {c.code: c for c in material.courses}
        self._open = {c.id: c for c in material.cohorts}

    def write(
        self,
        student: Student,
        rows: list[EnrolmentRow],
        *,
        enrolled: Set[str],
        full: Set[str],
        batch: Batch,
    ) -> None:
        """Add a student's leads, activities, tasks, invoices and place in the waitlist.

        Args:
            rows: what they took and wish to take.
            enrolled: which of these there was a seat for.
            full: cohorts without a seat left.
        """
        dice = random.Random(f"{self._seed}/life/{student.index}")  # noqa: S311
        seats = [self._seat(student, row) for row in rows if row.id in enrolled]
        wishes = [self._seat(student, row) for row in rows if row.id not in enrolled]
        wish = wishes[0] if wishes else None
        self._interests.write(student, seats, wish, dice, batch)
        for number, seat in enumerate(seats):
            self._fees.write(student, number, seat, dice, batch)
        if wish is not None and wish.row.cohort_id in full:
            batch.waitlist_entries.append(self._waiting(student, wish.row))

    def _seat(self, student: Student, row: EnrolmentRow) -> Seat:
        if student.past is not None and row.cohort_id == student.past.id:
            return Seat(row, student.past.course, student.past.starts_on)
        cohort = self._open[row.cohort_id]
        return Seat(row, self._courses[cohort.course_code], cohort.starts_on)

    def _waiting(self, student: Student, row: EnrolmentRow) -> WaitlistRow:
        return WaitlistRow(
            id=seeded_id(self._seed, Kind.WAITLIST_ENTRY, student.index),
            cohort_id=row.cohort_id,
            person_id=student.id,
            status="waiting",
            joined_at=row.confirmed_at,
        )
