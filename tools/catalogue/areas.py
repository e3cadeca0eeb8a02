"""Finds the field of study that a model names by code or by words."""

from crm.courses.models import Area
from crm.courses.service import CourseService
from crm.errors import NotFound
from retrieval.text import fold


async def resolve_area(courses: CourseService, said: str | None) -> str | None:
    """Return an area's code.

    Raises: NotFound("area.unknown"): the message names the areas there are.
    """
    if not said:
        return None
    areas = await courses.list_areas()
    wanted = fold(said)
    exact = [a for a in areas if wanted in _names(a)]
    near = [a for a in areas if len(wanted) >= 4 and any(wanted in name for name in _names(a))]
    if found := exact or near:
        return found[0].code
    known = ", ".join(f"{a.code} ({a.name.es} / {a.name.en})" for a in areas)
    raise NotFound("area.unknown", f"There is no such area. The areas are: {known}.")


def _names(area: Area) -> tuple[str, str, str]:
    return fold(area.code), fold(area.name.es), fold(area.name.en)
