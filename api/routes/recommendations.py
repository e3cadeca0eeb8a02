"""What to recommend to a person, over HTTP, for staff."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from api.dependencies import PeopleReader, ServicesDep
from api.routing import Chapter
from crm.courses.models import Locale
from tools.catalogue.recommend import RecommendedFor, recommendations_for
from tools.catalogue.study_wishes import StudyWishes

router = Chapter(prefix="/v1/people", tags=["people"])


class Asked(StudyWishes):
    """What is known of the person's wishes, and in which language to answer."""

    locale: Locale = "es"


@router.get("/{person_id}/recommendations", summary="Recommend courses to a person")
async def recommend_courses(
    person_id: UUID, asked: Annotated[Asked, Query()], staff: PeopleReader, services: ServicesDep
) -> RecommendedFor:
    """Return three courses with what speaks for and against each; the reading is audited."""
    return await recommendations_for(person_id, asked, services.tools, asked.locale, actor=staff)
