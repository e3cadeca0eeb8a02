"""The pages of programmes and scholarships, which citations open too."""

from fastapi import Request
from starlette.responses import HTMLResponse

from api.routing import Chapter
from api.web.access import LocaleDep, ServicesDep
from api.web.errors import error_page
from api.web.page import render_page
from api.web.programme_views import programme_view, scholarship_view
from crm.errors import NotFound

router = Chapter(include_in_schema=False)

_PAGE = 200


@router.get("/programmes")
async def programmes(request: Request, services: ServicesDep, locale: LocaleDep) -> HTMLResponse:
    """Show every programme."""
    found = await services.courses.list_programmes(limit=_PAGE)
    return render_page(
        request,
        "programmes.html",
        locale,
        demo=services.settings.demo,
        programmes=[programme_view(programme, locale) for programme in found.items],
    )


@router.get("/programmes/{code}")
async def programme(
    request: Request, code: str, services: ServicesDep, locale: LocaleDep
) -> HTMLResponse:
    """Show a programme with its courses."""
    try:
        found = await services.courses.get_programme(code)
    except NotFound:
        return error_page(request, 404, services.settings)
    details = await services.courses.find_courses(found.course_codes)
    return render_page(
        request,
        "programme.html",
        locale,
        demo=services.settings.demo,
        programme=programme_view(found, locale, tuple(detail.course for detail in details)),
    )


@router.get("/scholarships")
async def scholarships(request: Request, services: ServicesDep, locale: LocaleDep) -> HTMLResponse:
    """Show every scholarship."""
    found = await services.courses.list_scholarships()
    return render_page(
        request,
        "scholarships.html",
        locale,
        demo=services.settings.demo,
        scholarships=[scholarship_view(scholarship, locale) for scholarship in found],
    )


@router.get("/scholarships/{code}")
async def scholarship(
    request: Request, code: str, services: ServicesDep, locale: LocaleDep
) -> HTMLResponse:
    """Show one scholarship."""
    found = {s.code: s for s in await services.courses.list_scholarships()}.get(code)
    if found is None:
        return error_page(request, 404, services.settings)
    return render_page(
        request,
        "scholarships.html",
        locale,
        demo=services.settings.demo,
        scholarships=[scholarship_view(found, locale)],
    )
