"""Makes up students: who they are, what they agreed to, which courses they took."""

import random
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from api.demo.material import CourseFacts, Locale, Material, OpenCohort
from api.demo.rows import Batch, ConsentRow, EnrolmentRow, PersonRow
from api.demo.seeded_ids import Kind, seeded_id

#: Every 50th is under age, with the student before as guardian.
_MINOR_EVERY = 50
#: So many students share the three past cohorts of their block, and never overfill them.
BLOCK = 90
COHORTS_A_BLOCK = 3
PAST_SEATS = 36
_SPEAKS_ENGLISH = 0.15
_TOOK_A_COURSE = 0.6
_WANTS_A_COURSE = 0.25
_TEXT_VERSION = "2026-01"


@dataclass(frozen=True, slots=True)
class PastCohort:
    """A cohort that has ended, made up for the students of a block."""

    id: str
    code: str
    course: CourseFacts
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Student:
    """A made-up person, before the rows are written."""

    index: int
    id: str
    locale: Locale
    first: str
    family: tuple[str, ...]
    full_name: str
    joined_at: datetime
    past: PastCohort | None

    @property
    def is_minor(self) -> bool:
        """Return whether the student is under age."""
        return self.index % _MINOR_EVERY == _MINOR_EVERY - 1


class StudentMaker:
    """Makes the nth student of a seed, the same every time.

    Args:
        now: histories end here.
    """

    def __init__(self, material: Material, *, seed: int, now: datetime) -> None:
        self._material = material
        self._seed = seed
        self._now = now
        self._first_courses = [c for c in material.courses if not c.prerequisites]
        self._open = _open_by_prerequisite(material)

    def make(self, index: int) -> tuple[Student, random.Random]:
        """Return a student and the dice for whatever else is made up about them."""
        dice = random.Random(self._seed << 32 | index)  # noqa: S311 (made-up people, not secrets)
        locale: Locale = "en" if dice.random() < _SPEAKS_ENGLISH else "es"
        names = self._material.names[locale]
        first = dice.choice(names.given)
        second = dice.choice(names.second) if dice.random() < 0.2 else None
        family = tuple(dice.sample(names.family, 2 if locale == "es" else 1))
        past = self.past_cohort(index // BLOCK, index % COHORTS_A_BLOCK)
        took = past if dice.random() < _TOOK_A_COURSE else None
        known_for = timedelta(seconds=dice.randrange(86_400, 400 * 86_400))
        joined_at = self._now - known_for
        if took is not None:
            joined_at = _evening_of(took.starts_on, self._now) - timedelta(days=10) - known_for / 20
        words = [first, *([second] if second else []), *family]
        student = Student(
            index,
            seeded_id(self._seed, Kind.PERSON, index),
            locale,
            first,
            family,
            " ".join(words),
            joined_at,
            took,
        )
        return student, dice

    def past_cohort(self, block: int, number: int) -> PastCohort:
        """Return one of the ended cohorts of a block."""
        dice = random.Random(f"{self._seed}/{block}/{number}")  # noqa: S311
        course = dice.choice(self._first_courses)
        ended = self._now.date() - timedelta(days=dice.randrange(10, 500))
        ends_on = ended - timedelta(days=(ended.weekday() - 2) % 7)
        starts_on = ends_on - timedelta(days=2, weeks=course.weeks - 1)
        code = f"{course.code}-P{self._seed}-{block * COHORTS_A_BLOCK + number}"
        cohort_id = seeded_id(self._seed, Kind.COHORT, block, number)
        return PastCohort(cohort_id, code, course, starts_on, ends_on)

    def write(self, student: Student, dice: random.Random, batch: Batch) -> None:
        """Add the person, their consents and their enrolments to a batch."""
        guardian_id = None
        family = student.family
        if student.is_minor:
            guardian, _ = self.make(student.index - 1)
            guardian_id, family = guardian.id, guardian.family
        batch.people.append(self._person(student, dice, family=family, guardian_id=guardian_id))
        self._consent(student, dice, guardian_id, batch)
        self._enrol(student, dice, batch)

    def _person(
        self,
        student: Student,
        dice: random.Random,
        *,
        family: tuple[str, ...],
        guardian_id: str | None,
    ) -> PersonRow:
        own = len(student.full_name) - len(" ".join(student.family))
        given = student.full_name[:own].strip()
        days = dice.randrange(16 * 366, 18 * 365 - 30)
        if not student.is_minor:
            days = 18 * 366 + int(dice.triangular(0, 42 * 365, 3 * 365))
        address = f"{_plain(student.first)}.{_plain(family[0])}"
        return PersonRow(
            id=student.id,
            full_name=f"{given} {' '.join(family)}",
            email=f"{address}.{student.index}.{self._seed}@correo.example",
            phone=self._phone(student.index),
            locale=student.locale,
            time_zone=dice.choice(self._material.names[student.locale].time_zones),
            birth_date=self._now.date() - timedelta(days=days),
            guardian_id=guardian_id,
            status="active",
            created_at=student.joined_at,
            updated_at=student.joined_at,
        )

    def _phone(self, index: int) -> str | None:
        slot, rest = divmod(index, 3)
        phones = self._material.phones
        return phones[slot] if rest == 0 and slot < len(phones) else None

    def _consent(
        self, student: Student, dice: random.Random, guardian_id: str | None, batch: Batch
    ) -> None:
        said: list[tuple[str, str, bool]] = [("email", "service", True)]
        said.append(("email", "marketing", dice.random() < 0.6))
        if student.index % 3 == 0:
            said.append(("whatsapp", "marketing", dice.random() < 0.4))
        if said[1][2] and dice.random() < 0.1:
            said.append(("email", "marketing", False))
        for number, (channel, purpose, granted) in enumerate(said):
            batch.consents.append(
                ConsentRow(
                    id=seeded_id(self._seed, Kind.CONSENT, student.index, number),
                    person_id=student.id,
                    channel=channel,
                    purpose=purpose,
                    granted=granted,
                    source="demo",
                    text_version=_TEXT_VERSION,
                    guardian_id=guardian_id,
                    recorded_at=student.joined_at + timedelta(seconds=number),
                )
            )

    def _enrol(self, student: Student, dice: random.Random, batch: Batch) -> None:
        completed = None
        if student.past is not None:
            past = self._past_enrolment(student, student.past, dice)
            batch.enrolments.append(past)
            completed = student.past.course.code if past.status == "completed" else None
        if dice.random() >= _WANTS_A_COURSE:
            return
        choices = self._open.get(completed, []) + self._open.get(None, [])
        if choices:
            wish = dice.choice(choices)
            known_for = (self._now - student.joined_at).total_seconds()
            batch.wishes.append(
                EnrolmentRow(
                    id=seeded_id(self._seed, Kind.ENROLMENT, student.index, 1),
                    person_id=student.id,
                    cohort_id=wish.id,
                    status="confirmed",
                    confirmed_at=self._now - timedelta(seconds=dice.random() * known_for / 10),
                    ended_at=None,
                )
            )

    def _past_enrolment(
        self, student: Student, cohort: PastCohort, dice: random.Random
    ) -> EnrolmentRow:
        withdrawn = dice.random() < 0.08
        left_on = cohort.starts_on + timedelta(days=5) if withdrawn else cohort.ends_on
        return EnrolmentRow(
            id=seeded_id(self._seed, Kind.ENROLMENT, student.index, 0),
            person_id=student.id,
            cohort_id=cohort.id,
            status="withdrawn" if withdrawn else "completed",
            confirmed_at=student.joined_at + timedelta(days=1, minutes=dice.randrange(600)),
            ended_at=_evening_of(left_on, self._now),
        )


def _open_by_prerequisite(material: Material) -> dict[str | None, list[OpenCohort]]:
    """Return open cohorts by the one course they ask for; None for those that ask for none."""
    needs = {c.code: c.prerequisites for c in material.courses}
    found: dict[str | None, list[OpenCohort]] = {}
    for cohort in material.cohorts:
        before = needs.get(cohort.course_code, frozenset({"unknown", "course"}))
        if len(before) <= 1:
            found.setdefault(next(iter(before), None), []).append(cohort)
    return found


def _evening_of(day: date, now: datetime) -> datetime:
    """Return a time on a day, in the same zone as now."""
    return now.replace(year=day.year, month=day.month, day=day.day, hour=1, minute=0, second=0)


def _plain(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word.lower())
    return re.sub(r"[^a-z]+", "", "".join(c for c in folded if not unicodedata.combining(c)))
