"""Keeps the search index in step with the catalogue."""

from typing import TYPE_CHECKING

from crm.courses.models import Area, Course
from retrieval.ingest.courses import course_document
from retrieval.ingest.service import IngestSummary, Report
from retrieval.models import LANGUAGES, Document

if TYPE_CHECKING:
    from api.bootstrap import Services

COLLECTION = "courses"


async def index_courses(services: "Services", report: Report | None = None) -> IngestSummary:
    """Bring the index in step with the active courses; what did not change costs one look."""
    areas = {area.code: area for area in await services.courses.list_areas()}
    documents = [
        document
        async for course in services.courses.active_courses_for_index()
        for document in course_documents(course, areas[course.area])
    ]
    return await services.ingest.ingest_documents(
        documents, report, collection=COLLECTION, complete=True
    )


def course_documents(course: Course, area: Area) -> list[Document]:
    """A course as the search knows it, once a language."""
    return [
        course_document(
            course.code,
            language,
            title=course.title.of(language),
            summary=course.summary.of(language),
            outcomes=course.outcomes.of(language),
            keywords=course.keywords,
            area=area.name.of(language),
            level=course.level,
            url=f"/courses/{course.code}",
            metadata={"area": course.area, "level": course.level, "language": course.language},
        )
        for language in LANGUAGES
    ]
