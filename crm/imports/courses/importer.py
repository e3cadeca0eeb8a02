"""Imports courses: new ones are added, known ones skipped, changed or refused as asked."""

from collections.abc import Sequence

from crm.courses import store as catalogue
from crm.courses.events import CourseChanged
from crm.courses.models import CourseContent
from crm.db import UnitOfWork
from crm.errors import RuleBroken
from crm.imports.courses import store
from crm.imports.courses.rows import FIELDS, read_course
from crm.imports.importer import Batch
from crm.imports.models import Field, Outcome

_AREA = RuleBroken("area.unknown", "There is no such area.")
_DUPLICATE = RuleBroken("course.duplicate", "There already is a course with this code.")


class CourseImporter:
    """Reads lines about courses."""

    fields: Sequence[Field] = FIELDS

    async def write(self, uow: UnitOfWork, batch: Batch) -> Outcome:
        """Write a batch; see `Importer`."""
        outcome = Outcome()
        areas = {area.code for area in await catalogue.select_areas(uow.conn)}
        courses = _read(batch, areas, outcome)
        known = await store.select_codes(uow.conn, [c.code for c in courses.values()])
        wanted: dict[str, CourseContent] = {}
        for number, content in courses.items():
            is_known = content.code in known or content.code in wanted
            if is_known and batch.duplicates == "fail":
                outcome.refuse(number, _DUPLICATE, "code")
            elif is_known and batch.duplicates == "skip":
                outcome.skipped += 1
            else:
                wanted[content.code] = content
                outcome.updated += is_known
                outcome.created += not is_known
        if wanted:
            await store.upsert_courses(uow.conn, list(wanted.values()), at=uow.clock.now())
        for code in wanted:
            uow.publish(CourseChanged(course_code=code))
        return outcome


def _read(batch: Batch, areas: set[str], outcome: Outcome) -> dict[int, CourseContent]:
    courses: dict[int, CourseContent] = {}
    for line in batch.lines:
        try:
            content = read_course(line.cells)
        except RuleBroken as broken:
            outcome.refuse(line.number, broken)
            continue
        if content.area in areas:
            courses[line.number] = content
        else:
            outcome.refuse(line.number, _AREA, "area")
    return courses
