"""The sandbox gateway's payment page: what a payer sees, and what they choose there."""

import re
from datetime import datetime
from typing import Literal, cast, get_args
from urllib.parse import parse_qs, urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from api.bootstrap import Services
from api.routing import Chapter
from api.web.access import LocaleDep, ServicesDep
from api.web.catalogue import Locale, translate
from api.web.formats import moment, money
from api.web.page import render_page
from crm.errors import NotFound
from crm.payments.gateways.sandbox.desk import SandboxDesk
from crm.payments.gateways.sandbox.models import SandboxCheckout

router = Chapter(include_in_schema=False)

_CHECKOUT = re.compile(r"co_[0-9a-f]{32}")
Choice = Literal["pay", "decline", "leave"]
#: What a checkout that nobody can pay at this moment says of itself.
_ENDINGS = {
    "paid": ("pay.paid", "pay.paid.text"),
    "declined": ("pay.declined", "pay.declined.text"),
    "expired": ("pay.expired", "pay.expired.text"),
    "left": ("pay.left", "pay.left.text"),
}


@router.get("/sandbox/pay/{checkout_id}")
async def pay_page(
    request: Request, checkout_id: str, services: ServicesDep, locale: LocaleDep
) -> Response:
    """Show what is to be paid, or what became of it, in the language of the order."""
    checkout = await _desk(services).get_checkout(_known(checkout_id))
    shown: Locale = locale if "lang" in request.query_params else checkout.locale
    state = _state(checkout, request, services.clock.now())
    heading, text = _ENDINGS.get(state, ("pay.title", "pay.hint"))
    return render_page(
        request,
        "pay.html",
        shown,
        checkout=checkout,
        amount=money(checkout.amount, shown),
        until=moment(checkout.expires_at, shown, services.settings.time_zone),
        state=state,
        heading=translate(shown, heading),
        text=translate(shown, text),
    )


@router.post("/sandbox/pay/{checkout_id}")
async def choose(request: Request, checkout_id: str, services: ServicesDep) -> Response:
    """Pay, let the card be declined, or leave; then show what became of it."""
    choice = _choice(await request.body())
    desk = _desk(services)
    checkout = await desk.get_checkout(_known(checkout_id))
    if choice != "leave":
        await desk.decide(checkout.id, choice)
    query = {key: value for key, value in request.query_params.items() if key == "lang"}
    if choice == "leave":
        query["left"] = "1"
    page = request.url_for("pay_page", checkout_id=checkout.id).path
    return RedirectResponse(f"{page}?{urlencode(query)}" if query else page, status_code=303)


def _desk(services: Services) -> SandboxDesk:
    return services.tills.require_sandbox().desk


def _known(checkout_id: str) -> str:
    """Let no address through that is none of the sandbox's."""
    if not _CHECKOUT.fullmatch(checkout_id):
        raise NotFound("gateway.unknown", "There is no such checkout.")
    return checkout_id


def _choice(form: bytes) -> Choice:
    """Return which button was pressed; anything else is as good as leaving."""
    pressed = parse_qs(form.decode("ascii", "replace")).get("choice", [""])[0]
    return cast(Choice, pressed) if pressed in get_args(Choice) else "leave"


def _state(checkout: SandboxCheckout, request: Request, now: datetime) -> str:
    if checkout.is_open(now):
        return "left" if "left" in request.query_params else "open"
    return "expired" if checkout.status == "open" else checkout.status
