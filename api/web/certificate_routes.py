"""The page that checks a certificate, and with its code prints it."""

import re

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.routing import Chapter
from api.web.access import LocaleDep, ServicesDep
from api.web.certificate_views import certificate_view
from api.web.errors import error_page
from api.web.page import render_page
from crm.errors import NotFound

router = Chapter(include_in_schema=False)

_NUMBER = re.compile(r"[\w -]{1,40}")
_LONGEST_CODE = 40


@router.get("/certificates")
async def certificates(
    request: Request, services: ServicesDep, locale: LocaleDep, number: str = ""
) -> Response:
    """Ask for a certificate's number, and lead to its page where there is one."""
    unknown = bool(number)
    if _NUMBER.fullmatch(number):
        try:
            found = (await services.certificates.check(number)).certificate.number
        except NotFound:
            pass
        else:
            return RedirectResponse(f"/certificates/{found}?lang={locale}", 303)
    return render_page(
        request,
        "certificates.html",
        locale,
        status=404 if unknown else 200,
        demo=services.settings.demo,
        unknown=unknown,
    )


@router.get("/certificates/{number}")
async def certificate(
    request: Request, number: str, services: ServicesDep, locale: LocaleDep, code: str = ""
) -> HTMLResponse:
    """Show whether a certificate counts; its code shows the holder's name."""
    if not _NUMBER.fullmatch(number):
        return error_page(request, 404, services.settings)
    try:
        check = await services.certificates.check(number, code[:_LONGEST_CODE].strip() or None)
    except NotFound:
        return error_page(request, 404, services.settings)
    page = render_page(
        request,
        "certificate.html",
        locale,
        demo=services.settings.demo,
        certificate=certificate_view(
            check,
            locale,
            code=code,
            time_zone=services.settings.time_zone,
            base=services.settings.base_url,
        ),
    )
    # A code in the address must not travel on, nor a name stay in a shared cache.
    page.headers["Referrer-Policy"] = "no-referrer"
    page.headers["Cache-Control"] = "private, no-store"
    return page
