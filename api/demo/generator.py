"""Makes up students with their histories, by the thousand, the same ones for the same seed."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from api.demo import store
from api.demo.applications import applications_of
from api.demo.histories import HistoryMaker
from api.demo.lives import LifeMaker
from api.demo.loader import words_of
from api.demo.material import Material, fictional_phones, read_names, read_topics
from api.demo.rows import Batch, EnrolmentRow
from api.demo.seeded_ids import Kind, seeded_id
from api.demo.students import BLOCK, COHORTS_A_BLOCK, PAST_SEATS, PastCohort, Student, StudentMaker
from crm.actor import SERVICE_ACTOR
from crm.db import Connection, Database, UnitOfWork
from crm.errors import RuleBroken
from crm.journal.audit import AuditEntry, performed

if TYPE_CHECKING:
    from api.bootstrap import Services

Report = Callable[[str, int, int], None]

MAX_STUDENTS = 1_000_000
MAX_SEED = 2**31
#: Students a transaction: about 1,000 people with 20,000 messages, 30 MB while they are made.
_BATCH = 990
#: Some seats of open cohorts stay free, so that there is something to enrol in.
_FILL_PERCENT = 80
_STAGE = "students"
_ALSO_FILLED = ("cohorts", "ledger_accounts", "scholarship_applications")


@dataclass(frozen=True, slots=True)
class GeneratorSummary:
    """What was added; zeros when everything was there."""

    students: int = 0
    consents: int = 0
    conversations: int = 0
    messages: int = 0
    tickets: int = 0
    cohorts: int = 0
    enrolments: int = 0
    leads: int = 0
    activities: int = 0
    tasks: int = 0
    invoices: int = 0
    payments: int = 0
    refunds: int = 0
    waiting: int = 0
    applications: int = 0

    def __str__(self) -> str:
        """Return one line for people."""
        return words_of(self)

    def __add__(self, other: "GeneratorSummary") -> "GeneratorSummary":
        return GeneratorSummary(
            *(getattr(self, f.name) + getattr(other, f.name) for f in fields(self))
        )


async def generate(
    services: "Services", *, students: int, seed: int, report: Report
) -> GeneratorSummary:
    """Make up students with all that a school knows of them, from first visits to payments.

    Repeating it adds nothing; a larger number adds the rest; another seed adds other students.
    Their histories publish no events: nothing has just happened.

    Args:
        students: 1 to `MAX_STUDENTS`.
        report: gets the stage, how many are done and how many there are.

    Raises:
        RuleBroken("demo.students"), RuleBroken("demo.seed"): out of range.
        RuleBroken("demo.institution"): the demo institution is not loaded.
    """
    _check(students, seed)
    database = services.database
    material = await _material(database)
    writer = _Writer(database, material, seed)
    total = GeneratorSummary()
    for start in range(0, students, _BATCH):
        report(_STAGE, start, students)
        total += await writer.write(start, min(start + _BATCH, students))
    report(_STAGE, students, students)
    if total.students:
        async with database.read() as conn:
            await store.analyse(conn, [*dict(Batch().tables()), *_ALSO_FILLED])
        await services.analytics.note_everything()
    return total


def _check(students: int, seed: int) -> None:
    if not 1 <= students <= MAX_STUDENTS:
        raise RuleBroken("demo.students", f"Between 1 and {MAX_STUDENTS} students can be made.")
    if not 0 <= seed < MAX_SEED:
        raise RuleBroken("demo.seed", f"A seed lies between 0 and {MAX_SEED - 1}.")


async def _material(database: Database) -> Material:
    async with database.read() as conn:
        courses = await store.select_course_facts(conn)
        cohorts = await store.select_open_cohorts(conn, today=database.clock.now().date())
        advisors = await store.select_advisors(conn)
        programmes = await store.select_programme_codes(conn)
        scholarships = await store.select_scholarship_codes(conn)
    if not advisors or all(c.prerequisites for c in courses):
        raise RuleBroken("demo.institution", "Load the demo institution first.")
    topics = read_topics()
    return Material(
        names=read_names(),
        topics=tuple(t for t in topics if t.name != "handoff"),
        handoff=next(t for t in topics if t.name == "handoff"),
        courses=tuple(courses),
        cohorts=tuple(cohorts),
        advisors=tuple(advisors),
        phones=fictional_phones(),
        programmes=tuple(programmes),
        scholarships=tuple(scholarships),
    )


class _Writer:
    """Writes a range of students in one transaction: all of a student is there, or nothing."""

    def __init__(self, database: Database, material: Material, seed: int) -> None:
        now = database.clock.now()
        self._db = database
        self._seed = seed
        self._students = StudentMaker(material, seed=seed, now=now)
        self._histories = HistoryMaker(material, seed=seed, now=now)
        self._lives = LifeMaker(material, seed=seed, now=now)
        self._scholarships = material.scholarships

    async def write(self, start: int, stop: int) -> GeneratorSummary:
        """Add those students of a range who are not there yet."""
        ids = {seeded_id(self._seed, Kind.PERSON, index): index for index in range(start, stop)}
        async with self._db.transaction() as uow:
            there = await store.select_existing(uow.conn, list(ids))
            missing = [index for person_id, index in ids.items() if person_id not in there]
            if not missing:
                return GeneratorSummary()
            students, batch = await asyncio.to_thread(self._make, missing)
            cohorts = await self._store_cohorts(uow, missing)
            summary = await self._store(uow, students, batch)
            summary += GeneratorSummary(cohorts=cohorts)
            uow.audit(_entry(self._seed, summary))
        return summary

    def _make(self, indices: list[int]) -> tuple[list[Student], Batch]:
        batch = Batch()
        students: list[Student] = []
        for index in indices:
            student, dice = self._students.make(index)
            self._students.write(student, dice, batch)
            self._histories.write(student, dice, batch)
            students.append(student)
        return students, batch

    async def _store(
        self, uow: UnitOfWork, students: list[Student], batch: Batch
    ) -> GeneratorSummary:
        conn = uow.conn
        await _drop_taken_phones(conn, batch)
        await _copy(conn, batch)
        enrolled = await store.enrol_where_seats_are_left(
            conn, batch.wishes, fill_percent=_FILL_PERCENT
        )
        full = await store.select_full_cohorts(conn, [w.cohort_id for w in batch.wishes])
        lives = await asyncio.to_thread(self._live, students, batch, enrolled, full)
        await store.open_accounts(conn, lives.accounts)
        await _copy(conn, lives)
        applications = await applications_of(
            uow, students, seed=self._seed, scholarships=self._scholarships
        )
        await store.copy_rows(conn, "scholarship_applications", applications)
        made = _summary(batch) + _summary(lives)
        return made + GeneratorSummary(enrolments=len(enrolled), applications=len(applications))

    def _live(
        self, students: list[Student], batch: Batch, enrolled: set[str], full: set[str]
    ) -> Batch:
        lives = Batch()
        rows: dict[str, list[EnrolmentRow]] = {}
        for row in [*batch.enrolments, *batch.wishes]:
            rows.setdefault(row.person_id, []).append(row)
        sure = enrolled | {row.id for row in batch.enrolments}
        for student in students:
            took = rows.get(student.id, [])
            self._lives.write(student, took, enrolled=sure, full=full, batch=lives)
        return lives

    async def _store_cohorts(self, uow: UnitOfWork, indices: list[int]) -> int:
        numbers = sorted({(i // BLOCK, i % COHORTS_A_BLOCK) for i in indices})
        rows = [_cohort_row(self._students.past_cohort(*n)) for n in numbers]
        stamped = [{**row, "updated_at": uow.clock.now()} for row in rows]
        return len(await store.insert_missing(uow.conn, "cohorts", stamped))


async def _copy(conn: Connection, batch: Batch) -> None:
    for table, rows in batch.tables():
        await store.copy_rows(conn, table, rows)


def _summary(batch: Batch) -> GeneratorSummary:
    return GeneratorSummary(
        students=len(batch.people),
        consents=len(batch.consents),
        conversations=len(batch.conversations),
        messages=len(batch.messages),
        tickets=len(batch.tickets),
        enrolments=len(batch.enrolments),
        leads=len(batch.leads),
        activities=len(batch.activities),
        tasks=len(batch.tasks),
        invoices=len(batch.invoices),
        payments=len(batch.payments),
        refunds=len(batch.refunds),
        waiting=len(batch.waitlist_entries),
    )


def _cohort_row(cohort: PastCohort) -> Mapping[str, object]:
    return {
        "id": cohort.id,
        "code": cohort.code,
        "course_code": cohort.course.code,
        "starts_on": cohort.starts_on,
        "ends_on": cohort.ends_on,
        "enrolment_closes": cohort.starts_on,
        "modality": "online",
        "campus": None,
        "days": ["mon", "wed"],
        "start_time": "19:00",
        "end_time": "21:00",
        "seats": PAST_SEATS,
        "blocked_seats": 0,
        "price_minor": cohort.course.price_minor,
        "currency": cohort.course.currency,
        "status": "closed",
    }


async def _drop_taken_phones(conn: Connection, batch: Batch) -> None:
    """Leave a number with whoever has it: the students of another seed got it first."""
    taken = await store.select_taken_phones(conn, [p.phone for p in batch.people if p.phone])
    if taken:
        batch.people = [p._replace(phone=None) if p.phone in taken else p for p in batch.people]


def _entry(seed: int, summary: GeneratorSummary) -> AuditEntry:
    added = {f.name: getattr(summary, f.name) for f in fields(summary)}
    return performed(SERVICE_ACTOR, "demo.generate", arguments={"seed": seed}, payload=added)
