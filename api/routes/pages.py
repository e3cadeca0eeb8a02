"""The pages that people open: the institute's site, its documents, the consoles."""

import re

from fastapi import Request
from starlette.responses import HTMLResponse

from api.bootstrap import Services
from api.routing import Chapter
from api.web import (
    asset_routes,
    certificate_routes,
    demo_routes,
    payment_routes,
    programme_routes,
)
from api.web.access import LocaleDep, ServicesDep
from api.web.catalogue import Locale, translate
from api.web.course_views import (
    cards_of,
    cohort_row,
    level_name,
    opening_hours,
    read_catalogue,
    refs,
    soonest_cards,
    time_zone_note,
)
from api.web.document_views import find_public_document, list_public_documents, view_document
from api.web.errors import error_page
from api.web.formats import money
from api.web.institution import load_institution
from api.web.page import render_page
from crm.courses.models import CourseDetail

router = Chapter(include_in_schema=False)
router.include_router(asset_routes.router)
router.include_router(demo_routes.router)
router.include_router(payment_routes.router)
router.include_router(programme_routes.router)
router.include_router(certificate_routes.router)

_FEATURED = 6


#: What codes and document names are made of; anything else is no address of ours.
_NAME = re.compile(r"[\w:.-]{1,120}")
_LAST_VERSION = 2**31 - 1


@router.get("/")
async def home(request: Request, services: ServicesDep, locale: LocaleDep) -> HTMLResponse:
    """Show the institute's front page with the courses that start soon."""
    catalogue = await read_catalogue(services.courses)
    areas = await services.courses.list_areas()
    return render_page(
        request,
        "home.html",
        locale,
        demo=services.settings.demo,
        areas=[(area, sum(c.area == area.code for c in catalogue.courses)) for area in areas],
        cards=soonest_cards(catalogue, _FEATURED, locale),
        hours=opening_hours(load_institution(), locale),
    )


@router.get("/courses")
async def courses(
    request: Request, services: ServicesDep, locale: LocaleDep, area: str | None = None
) -> HTMLResponse:
    """Show the catalogue, whole or of one area."""
    areas = await services.courses.list_areas()
    area = area if area in {each.code for each in areas} else None
    return render_page(
        request,
        "courses.html",
        locale,
        demo=services.settings.demo,
        area=area,
        areas=areas,
        cards=cards_of(await read_catalogue(services.courses, area), locale),
    )


@router.get("/courses/{code}")
async def course(
    request: Request, code: str, services: ServicesDep, locale: LocaleDep
) -> HTMLResponse:
    """Show a course with its groups: what a course citation opens."""
    found = await services.courses.find_courses([code]) if _NAME.fullmatch(code) else ()
    if not found:
        return error_page(request, 404, services.settings)
    return await _course(request, services, locale, detail=found[0])


async def _course(
    request: Request, services: Services, locale: Locale, *, detail: CourseDetail
) -> HTMLResponse:
    today, institution = services.courses.today(), load_institution()
    found, areas = detail.course, await services.courses.list_areas()
    return render_page(
        request,
        "course.html",
        locale,
        demo=services.settings.demo,
        course=found,
        title=found.title.of(locale),
        summary=found.summary.of(locale),
        outcomes=found.outcomes.of(locale),
        area=next((a.name.of(locale) for a in areas if a.code == found.area), found.area),
        level=level_name(found, locale),
        language=translate(locale, "language.en" if found.language == "en" else "language.es"),
        price=money(found.price, locale),
        prerequisites=refs(detail.prerequisites, locale),
        cohorts=[
            cohort_row(c, locale, today=today, institution=institution) for c in detail.cohorts
        ],
        time_zone=time_zone_note(services.settings.time_zone, services.clock.now(), locale),
    )


@router.get("/knowledge")
async def documents(request: Request, services: ServicesDep, locale: LocaleDep) -> HTMLResponse:
    """List the documents that anybody may read."""
    return render_page(
        request,
        "documents.html",
        locale,
        demo=services.settings.demo,
        documents=await list_public_documents(
            services.documents, locale, today=services.courses.today()
        ),
    )


@router.get("/knowledge/{name}@{version:int}")
async def document(
    request: Request, name: str, version: int, services: ServicesDep, locale: LocaleDep
) -> HTMLResponse:
    """Show a document as it stood in a version: what a citation opens."""
    return await _document(request, services, locale, name=name, version=version)


@router.get("/knowledge/{name}")
async def current_document(
    request: Request, name: str, services: ServicesDep, locale: LocaleDep
) -> HTMLResponse:
    """Show a document as it stands."""
    return await _document(request, services, locale, name=name, version=None)


async def _document(
    request: Request, services: Services, locale: Locale, *, name: str, version: int | None
) -> HTMLResponse:
    if not _NAME.fullmatch(name) or (version or 0) > _LAST_VERSION:
        return error_page(request, 404, services.settings)
    today = services.courses.today()
    found = await find_public_document(services.documents, name, version, locale, today=today)
    if found is None:
        return error_page(request, 404, services.settings)
    english = found.language == "en"
    return render_page(
        request,
        "document.html",
        locale,
        demo=services.settings.demo,
        document=await view_document(services.documents, found, locale, today=today),
        language=translate(locale, "language.en" if english else "language.es"),
    )


@router.get("/advisor")
async def advisor(request: Request, services: ServicesDep, locale: LocaleDep) -> HTMLResponse:
    """Show the advisors' console; its data comes over the staff API after a login."""
    return render_page(request, "advisor.html", locale, demo=services.settings.demo)


@router.get("/admin")
async def admin(request: Request, services: ServicesDep, locale: LocaleDep) -> HTMLResponse:
    """Show the admins' console; its data comes over the staff API after a login."""
    return render_page(request, "admin.html", locale, demo=services.settings.demo)
