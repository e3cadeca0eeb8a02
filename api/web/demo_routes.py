"""The demo's rooms: the mailbox that shows what would have left by e-mail."""

from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.responses import JSONResponse, Response

from api.routing import Chapter
from api.web.access import LocaleDep, ServicesDep
from api.web.formats import moment
from api.web.page import render_page
from crm.errors import NotFound
from crm.messaging.outbound.models import MailboxMessage
from crm.paging import Page

_PAGE = 30


def _only_in_demo(services: ServicesDep) -> None:
    """Keep the mailbox out of every deployment that is not a demonstration."""
    if not services.settings.demo:
        raise NotFound("page.unknown", "There is no such page.")


router = Chapter(include_in_schema=False, dependencies=[Depends(_only_in_demo)])

CursorDep = Annotated[str | None, Query()]


@router.get("/demo/mailbox.json")
async def mailbox_json(services: ServicesDep, cursor: CursorDep = None) -> Response:
    """Return what was sent, for programs."""
    return _as_json(await services.mailbox.list_mailbox(cursor=cursor, limit=_PAGE))


@router.get("/demo/mailbox")
async def mailbox(
    request: Request, services: ServicesDep, locale: LocaleDep, cursor: CursorDep = None
) -> Response:
    """Show what was sent, newest first; as JSON to whoever accepts only that."""
    page = await services.mailbox.list_mailbox(cursor=cursor, limit=_PAGE)
    accepted = request.headers.get("accept", "")
    if "application/json" in accepted and "text/html" not in accepted:
        return _as_json(page)
    zone = services.settings.time_zone
    return render_page(
        request,
        "mailbox.html",
        locale,
        demo=True,
        messages=[
            {**_wire(message), "sent": moment(message.created_at, locale, zone)}
            for message in page.items
        ],
        next_cursor=page.next_cursor,
    )


def _as_json(page: Page[MailboxMessage]) -> Response:
    items = [_wire(message) for message in page.items]
    return JSONResponse({"items": items, "next_cursor": page.next_cursor})


def _wire(message: MailboxMessage) -> dict[str, str]:
    return {
        "id": str(message.id),
        "channel": message.channel,
        "recipient": message.recipient,
        "subject": message.subject,
        "body": message.body,
        "sent_at": message.created_at.isoformat(),
    }
