"""The two tools without what surrounds them: the same handlers over the same database."""

import json
from typing import Any

from api.bootstrap import Services
from crm.actor import Actor
from crm.ids import SubjectId, new_id
from tools.catalogue.course_search import SEARCH_COURSES, SearchCourses
from tools.catalogue.courses import GET_COURSE, GetCourse
from tools.context import ToolContext
from tools.spec import Call


class Reads:
    """What the peer's tools do, and the floor under every subject's turn."""

    def __init__(self, services: Services) -> None:
        self._services = services.tools
        self._context = ToolContext(actor=Actor(subject_id=SubjectId(new_id())), locale="es")

    async def search_courses(self, query: str) -> str:
        """Find courses."""
        call = Call(self._context, SearchCourses(query=query), self._services, "")
        return _told(await SEARCH_COURSES.handler(call))

    async def get_course(self, code: str) -> str:
        """Look one course up."""
        call = Call(self._context, GetCourse(code=code), self._services, "")
        return _told(await GET_COURSE.handler(call))


def _told(output: Any) -> str:
    return json.dumps(output.model_dump(mode="json"), ensure_ascii=False)
