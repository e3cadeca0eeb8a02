"""Courses over HTTP, for staff."""

from datetime import date, datetime, time
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from api.auth import staff_in
from api.bodies import Body, MoneyIn, MoneyOut, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routing import Chapter
from crm.actor import Actor
from crm.courses.models import (
    Bilingual,
    BilingualLines,
    Cohort,
    CohortStatus,
    CourseContent,
    CourseLevel,
    Locale,
    Modality,
    Weekday,
)
from crm.identity.permissions import Area

router = Chapter(prefix="/v1/courses", tags=["courses"])

CatalogueReader = Annotated[Actor, Depends(staff_in(Area.CATALOGUE))]
CatalogueWriter = Annotated[Actor, Depends(staff_in(Area.CATALOGUE, write=True))]

CODE_PATTERN = r"^[A-Z0-9]+(-[A-Z0-9]+)*$"
Code = Annotated[str, Field(min_length=2, max_length=40, pattern=CODE_PATTERN)]
CoursePath = Annotated[str, Path(max_length=40, description="The course's code, e.g. `DAT-101`")]
_Line = Annotated[str, Field(min_length=1, max_length=300)]
_Lines = Annotated[list[_Line], Field(max_length=30)]


class TextOut(Out):
    """A text in both languages."""

    es: str
    en: str


class LinesOut(Out):
    """Short texts in both languages."""

    es: list[str]
    en: list[str]


class CourseOut(Out):
    """A course."""

    code: str
    area: str
    level: CourseLevel
    language: Locale
    title: TextOut
    summary: TextOut
    outcomes: LinesOut
    keywords: list[str]
    hours: int
    weeks: int
    hours_per_week: int
    price: MoneyOut
    certificate: bool
    active: bool
    updated_at: datetime


class CourseRefOut(Out):
    """A course's name."""

    code: str
    title: TextOut


class ScheduleOut(Out):
    """When a cohort meets, in the institution's time zone."""

    days: list[Weekday]
    start_time: time
    end_time: time


class CohortOut(Out):
    """A cohort with the seats that are left."""

    id: UUID
    code: str
    course_code: str
    starts_on: date
    ends_on: date
    enrolment_closes: date
    modality: Modality
    campus: str | None
    schedule: ScheduleOut
    seats: int
    blocked_seats: int
    seats_taken: int
    seats_held: int
    seats_left: int
    price: MoneyOut
    status: CohortStatus
    updated_at: datetime

    @classmethod
    def of(cls, cohort: Cohort) -> Self:
        """Return a cohort for the wire."""
        return cls.model_validate(cohort)


class CoursePage(BaseModel):
    """A page of courses."""

    items: list[CourseOut]
    next_cursor: str | None


class CourseDetailOut(Out):
    """A course with its prerequisites and the cohorts to come, full ones included."""

    course: CourseOut
    prerequisites: list[CourseRefOut]
    cohorts: list[CohortOut]


class _Text(Body):
    es: Annotated[str, Field(min_length=1, max_length=4_000)]
    en: Annotated[str, Field(min_length=1, max_length=4_000)]


class _TextLines(Body):
    es: _Lines
    en: _Lines


class CourseBody(Body):
    """All of a course but its code."""

    area: Code
    level: CourseLevel
    language: Locale
    title: _Text
    summary: _Text
    outcomes: _TextLines
    keywords: _Lines
    hours: Annotated[int, Field(ge=1, le=10_000)]
    weeks: Annotated[int, Field(ge=1, le=520)]
    hours_per_week: Annotated[int, Field(ge=1, le=168)]
    price: MoneyIn
    certificate: bool
    active: bool = True

    def to_content(self, code: str) -> CourseContent:
        """Return what the domain writes."""
        return CourseContent(
            code=code,
            area=self.area,
            level=self.level,
            language=self.language,
            title=Bilingual(self.title.es, self.title.en),
            summary=Bilingual(self.summary.es, self.summary.en),
            outcomes=BilingualLines(tuple(self.outcomes.es), tuple(self.outcomes.en)),
            keywords=tuple(self.keywords),
            hours=self.hours,
            weeks=self.weeks,
            hours_per_week=self.hours_per_week,
            price=self.price.money,
            certificate=self.certificate,
            active=self.active,
        )


class PrerequisitesBody(Body):
    """What must come directly before a course."""

    codes: Annotated[list[Code], Field(max_length=20)]


@router.get("", summary="List courses")
async def list_courses(
    staff: CatalogueReader,
    services: ServicesDep,
    page: PageDep,
    area: Annotated[str | None, Query(max_length=40)] = None,
    level: CourseLevel | None = None,
    language: Locale | None = None,
    active: Annotated[bool | None, Query(description="`false`: the withdrawn ones")] = True,
) -> CoursePage:
    """Return courses by code."""
    found = await services.courses.list_courses(
        area=area,
        level=level,
        language=language,
        active=active,
        cursor=page.cursor,
        limit=page.limit,
    )
    items = [CourseOut.model_validate(course) for course in found.items]
    return CoursePage(items=items, next_cursor=found.next_cursor)


@router.get("/{code}", summary="Read a course")
async def get_course(
    code: CoursePath, staff: CatalogueReader, services: ServicesDep
) -> CourseDetailOut:
    """Return a course with its prerequisites and the cohorts to come."""
    return CourseDetailOut.model_validate(await services.courses.get_course(code))


@router.put("/{code}", summary="Write a course")
async def put_course(
    code: Annotated[str, Path(min_length=2, max_length=40, pattern=CODE_PATTERN)],
    body: CourseBody,
    staff: CatalogueWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> CourseOut:
    """Write a course, new or not."""
    course = await services.courses.upsert_course(
        body.to_content(code), actor=staff, idempotency=idempotency
    )
    return CourseOut.model_validate(course)


@router.put("/{code}/prerequisites", summary="Set prerequisites")
async def put_prerequisites(
    code: CoursePath,
    body: PrerequisitesBody,
    staff: CatalogueWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> list[CourseRefOut]:
    """Set what must come directly before a course; a circle is refused."""
    refs = await services.courses.set_prerequisites(
        code, tuple(body.codes), actor=staff, idempotency=idempotency
    )
    return [CourseRefOut.model_validate(ref) for ref in refs]
