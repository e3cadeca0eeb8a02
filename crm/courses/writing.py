"""How staff change the catalogue: each change is one transaction with its event and record."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, TypeVar

from crm.actor import Actor
from crm.courses import cohort_store, rules, store
from crm.courses.commands import CreateCohort, UpdateCohort
from crm.courses.events import CohortChanged, CohortOpened, CourseChanged
from crm.courses.models import Cohort, CohortId, Course, CourseContent, CourseRef
from crm.courses.seats.models import SeatPolicy
from crm.courses.seats.turnover import settle
from crm.db import Connection, Database, UnitOfWork
from crm.errors import Conflict, NotFound
from crm.identity.permissions import Area, require
from crm.ids import INSTITUTION
from crm.journal.audit import performed
from crm.journal.idempotency import IdempotencyKey
from crm.once import run_once

T = TypeVar("T")


class CourseWriting:
    """The writing half of the catalogue's use cases."""

    def __init__(self, database: Database, policy: SeatPolicy) -> None:
        self._db = database
        self._policy = policy

    async def upsert_course(
        self, content: CourseContent, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Course:
        """Write a course, new or not; admins only.

        Raises:
            Denied("auth.role").
            NotFound("area.unknown").
            RuleBroken: see `rules.check_course`.
        """
        require(actor, Area.CATALOGUE, write=True)
        rules.check_course(content)

        async def work(uow: UnitOfWork) -> Course:
            await _require_area(uow.conn, content.area)
            course = await store.upsert_course(uow.conn, content, at=uow.clock.now())
            uow.publish(CourseChanged(course_code=course.code))
            uow.audit(
                performed(actor, "course.upsert", about=INSTITUTION, arguments=asdict(content))
            )
            return course

        return await run_once(self._db, idempotency, asdict(content), work, kind=Course)

    async def set_prerequisites(
        self,
        course_code: str,
        codes: tuple[str, ...],
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> tuple[CourseRef, ...]:
        """Set what must come directly before a course; admins only.

        Raises:
            Denied("auth.role").
            NotFound("course.unknown"): one of them does not exist.
            RuleBroken("course.prerequisites.cycle"): the graph would have a circle.
        """
        require(actor, Area.CATALOGUE, write=True)
        arguments = {"course_code": course_code, "prerequisites": sorted(set(codes))}

        async def work(uow: UnitOfWork) -> tuple[CourseRef, ...]:
            await _require_courses(uow.conn, {course_code, *codes})
            await store.lock_prerequisites(uow.conn)
            graph = await store.select_graph(uow.conn)
            rules.assert_acyclic({**graph, course_code: list(codes)})
            await store.replace_prerequisites(uow.conn, course_code, codes)
            uow.publish(CourseChanged(course_code=course_code))
            uow.audit(
                performed(actor, "course.set_prerequisites", about=INSTITUTION, arguments=arguments)
            )
            found = await store.select_prerequisites(uow.conn, [course_code])
            return found.get(course_code, ())

        return await run_once(self._db, idempotency, arguments, work, kind=tuple[CourseRef, ...])

    async def create_cohort(
        self, command: CreateCohort, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Cohort:
        """Open a cohort of a course; admins only.

        Raises:
            Denied("auth.role").
            NotFound("course.unknown").
            Conflict("cohort.exists"): the code is taken.
            RuleBroken: see `rules.check_new_cohort`.
        """
        require(actor, Area.CATALOGUE, write=True)

        async def work(uow: UnitOfWork) -> Cohort:
            cohort = await _insert_cohort(uow, command)
            uow.publish(CohortOpened(cohort_id=cohort.id, course_code=cohort.course_code))
            uow.audit(
                performed(actor, "cohort.create", about=INSTITUTION, arguments=asdict(command))
            )
            return cohort

        return await run_once(self._db, idempotency, asdict(command), work, kind=Cohort)

    async def update_cohort(
        self, command: UpdateCohort, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Cohort:
        """Change a cohort's state, seats, closing date or price; admins only.

        Seats that this frees go to those who wait for one.

        Raises:
            Denied("auth.role").
            NotFound("cohort.unknown").
            RuleBroken: see `rules.check_cohort_change`.
        """
        require(actor, Area.CATALOGUE, write=True)

        async def work(uow: UnitOfWork) -> Cohort:
            await cohort_store.lock_cohort(uow.conn, command.code)
            before = await _cohort(uow, command.code)
            rules.check_cohort_change(before, command)
            changes = _columns(command, at=uow.clock.now())
            await cohort_store.update_cohort(uow.conn, command.code, changes)
            uow.publish(CohortChanged(cohort_id=before.id, course_code=before.course_code))
            uow.audit(
                performed(actor, "cohort.update", about=INSTITUTION, arguments=asdict(command))
            )
            settled = await settle(uow, [before.id], self._policy)
            return settled.cohorts[before.id]

        return await run_once(self._db, idempotency, asdict(command), work, kind=Cohort)


async def _require_area(conn: Connection, code: str) -> None:
    if code not in {area.code for area in await store.select_areas(conn)}:
        raise NotFound("area.unknown", "There is no such area.")


async def _require_courses(conn: Connection, codes: set[str]) -> None:
    if len(await store.select_courses(conn, sorted(codes))) < len(codes):
        raise NotFound("course.unknown", "There is no such course.")


async def _cohort(uow: UnitOfWork, code: str) -> Cohort:
    cohort = await cohort_store.select_cohort(uow.conn, code, at=uow.clock.now())
    if cohort is None:
        raise NotFound("cohort.unknown", "There is no such cohort.")
    return cohort


async def _insert_cohort(uow: UnitOfWork, command: CreateCohort) -> Cohort:
    courses = await store.select_courses(uow.conn, [command.course_code])
    course = courses.get(command.course_code)
    if course is None:
        raise NotFound("course.unknown", "There is no such course.")
    ends_on = command.ends_on or rules.last_day(
        command.starts_on, course.weeks, command.schedule.days
    )
    rules.check_new_cohort(command, ends_on=ends_on)
    added: CohortId | None = await cohort_store.insert_cohort(
        uow.conn, command, ends_on=ends_on, price=command.price or course.price, at=uow.clock.now()
    )
    if added is None:
        raise Conflict("cohort.exists", "There already is a cohort with this code.")
    return await _cohort(uow, command.code)


def _columns(command: UpdateCohort, *, at: datetime) -> dict[str, Any]:
    plain = {f.name: getattr(command, f.name) for f in fields(command) if f.name != "code"}
    changes = {name: value for name, value in plain.items() if value is not None}
    price = changes.pop("price", None)
    if price is not None:
        changes |= {"price_minor": price.amount_minor, "currency": price.currency}
    return changes | {"updated_at": at}
