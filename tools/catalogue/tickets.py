"""The tools about a student's own tickets."""

from datetime import datetime

from pydantic import BaseModel, Field

from crm.actor import IdentityLevel, Role
from crm.ids import ConversationId
from crm.support.commands import OpenTicket as OpenTicketCommand
from crm.support.models import Ticket, TicketCategory, TicketStatus
from tools.arguments import ToolInput
from tools.context import Locale
from tools.outputs import ToolOutput
from tools.services import ToolServices
from tools.spec import Call, Effect, ToolSpec, description_of
from tools.wording import instant_text

_MOST = 10
_SHOWN = 240
_CATEGORIES: dict[Locale, dict[TicketCategory, str]] = {
    "es": {
        "admission": "Admisión",
        "payments": "Pagos",
        "certificates": "Certificados",
        "technical": "Soporte técnico",
        "academic": "Asuntos académicos",
        "other": "Otros",
    },
    "en": {
        "admission": "Admission",
        "payments": "Payments",
        "certificates": "Certificates",
        "technical": "Technical support",
        "academic": "Academic matters",
        "other": "Other",
    },
}


class TicketOut(BaseModel):
    """A ticket as its owner sees it."""

    number: int
    category: TicketCategory
    title: str
    status: TicketStatus
    opened_at: datetime
    opened_at_text: str


class MyTickets(ToolInput):
    """Nothing to choose: the session says whose."""


class TicketsFound(ToolOutput):
    """Tickets, newest first.

    Args:
        more: whether there are older ones.
    """

    tickets: list[TicketOut]
    more: bool


class OpenTicket(ToolInput):
    """What the ticket says."""

    category: TicketCategory
    title: str = Field(min_length=3, max_length=120, description="The matter in a few words.")
    description: str = Field(
        min_length=3, max_length=2_000, description="What the student said, in their language."
    )


class TicketOpened(ToolOutput):
    """The new ticket."""

    number: int
    status: TicketStatus


async def my_tickets(call: Call[MyTickets]) -> TicketsFound:
    """List the student's own tickets with their state, newest first.

    Use it when a verified student asks what became of a request.
    """
    page = await call.services.support.list_tickets(None, None, _MOST, actor=call.context.actor)
    return TicketsFound(
        tickets=[ticket_out(t, call.services, call.context.locale) for t in page.items],
        more=page.next_cursor is not None,
    )


async def open_ticket(call: Call[OpenTicket]) -> TicketOpened:
    """Open a ticket with the support team for something that this chat cannot solve.

    Use it for problems and requests that somebody has to work on later. The student is asked to
    confirm before anything happens. Returns the ticket's number.
    """
    context, args = call.context, call.args
    ticket = await call.services.support.open_ticket(
        call.uow,
        OpenTicketCommand(
            subject_id=context.actor.subject_id,
            person_id=context.actor.person_id,
            conversation_id=(
                ConversationId(context.conversation_id) if context.conversation_id else None
            ),
            category=args.category,
            title=args.title,
            description=args.description,
            effect_key=call.effect_key,
        ),
    )
    return TicketOpened(number=ticket.number, status=ticket.status)


def summarise_ticket(args: OpenTicket, locale: Locale) -> str:
    """Say what acceptance will do."""
    category = _CATEGORIES[locale][args.category]
    text = " ".join(args.description.split())
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1].rstrip() + "…"
    head = "Open a support ticket" if locale == "en" else "Abrir un ticket de soporte"
    if args.title.casefold() in text.casefold():
        return f"{head} ({category}): {_quoted(shown, locale)}."
    return f"{head} ({category}): {_quoted(args.title, locale)}. {shown}"


def _quoted(text: str, locale: Locale) -> str:
    text = text.rstrip(".")
    return f"“{text}”" if locale == "en" else f"«{text}»"


def ticket_out(ticket: Ticket, services: ToolServices, locale: Locale) -> TicketOut:
    """Return a ticket without what only staff may see."""
    return TicketOut(
        number=ticket.number,
        category=ticket.category,
        title=ticket.title,
        status=ticket.status,
        opened_at=ticket.created_at,
        opened_at_text=instant_text(ticket.created_at, locale, time_zone=services.time_zone),
    )


MY_TICKETS = ToolSpec(
    name="my_tickets",
    version=1,
    description=description_of(my_tickets),
    input=MyTickets,
    output=TicketsFound,
    handler=my_tickets,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    personal=True,
    examples=({},),
)
OPEN_TICKET = ToolSpec(
    name="open_ticket",
    version=1,
    description=description_of(open_ticket),
    input=OpenTicket,
    output=TicketOpened,
    handler=open_ticket,
    effect=Effect.WRITE,
    roles=frozenset[Role](),
    approval="student",
    summarise=summarise_ticket,
    examples=(
        {
            "category": "technical",
            "title": "No puedo entrar al campus virtual",
            "description": "Mi contraseña dejó de funcionar ayer y el enlace no me llega.",
        },
    ),
)
