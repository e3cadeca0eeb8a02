"""Which handlers want which domain events.

A handler may get an event twice, late, or out of order: it looks at the database for what is so
now, and does what it does once.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from api.announce import MESSAGE_EVENTS, announce
from api.bootstrap import Services
from api.course_index import index_courses
from api.lead_agent import act_on_score
from crm.actor import SERVICE_ACTOR
from crm.analytics.models import MODELS_OF
from crm.courses.fees.models import QuoteId
from crm.courses.seats.models import HoldId
from crm.journal.deliveries.models import Delivery, StoredEvent
from crm.payments.models import InvoiceId


@dataclass(frozen=True, slots=True)
class Handler:
    """Something that is done about some events.

    Args:
        name: stays the same: deliveries that wait carry it.
        events: by their names.
        is_quick: done by whichever process relays the event, without a worker.
    """

    name: str
    run: Callable[[Services, StoredEvent], Awaitable[object]]
    events: Collection[str]
    is_quick: bool = False


async def _index_courses(services: Services, event: StoredEvent) -> None:
    await index_courses(services)


async def _time_ticket(services: Services, event: StoredEvent) -> None:
    await services.sla.time_ticket(event.id_of("ticket_id"))


async def _note_message(services: Services, event: StoredEvent) -> None:
    await services.pipeline.note_message(event.id_of("message_id"))


async def _mark_score_due(services: Services, event: StoredEvent) -> None:
    if event.payload.get("lead_id"):
        await services.scoring.mark_due(lead_id=event.id_of("lead_id"))
    elif event.name == "ConsentRecorded":
        await services.scoring.mark_due(person_id=event.id_of("person_id"))


async def _act_on_score(services: Services, event: StoredEvent) -> None:
    await act_on_score(services, event)


async def _count(services: Services, event: StoredEvent) -> None:
    await services.analytics.note(event)


async def _wake_sagas(services: Services, event: StoredEvent) -> None:
    if "hold_id" in event.payload:
        await services.workflows.wake(hold_id=HoldId(event.id_of("hold_id")))
    else:
        await services.workflows.wake(invoice_id=InvoiceId(event.id_of("invoice_id")))


async def _certify(services: Services, event: StoredEvent) -> None:
    await services.certificates.issue_paid(event.id_of("invoice_id"))


async def _withdraw_offer(services: Services, event: StoredEvent) -> None:
    if event.payload["decision"] != "reject":
        return
    held = await services.confirmations.get(event.id_of("confirmation_id"))
    if held.call.quote_id and held.call.hold_id:
        await services.workflows.withdraw_offer(
            quote_id=QuoteId(UUID(held.call.quote_id)),
            hold_id=HoldId(UUID(held.call.hold_id)),
            actor=SERVICE_ACTOR,
        )


#: What a score may follow from.
_SCORE_EVENTS = (
    "LeadCreated",
    "LeadUpdated",
    "LeadStageChanged",
    "ActivityNoted",
    "ConsentRecorded",
)
#: What may let an enrolment or a withdrawal go on.
_SAGA_EVENTS = (
    "PaymentCompleted",
    "PaymentFailed",
    "PaymentVoided",
    "PaymentRefunded",
    "RefundFailed",
    "DisputeClosed",
    "InvoiceCancelled",
    "HoldExpired",
)

HANDLERS: tuple[Handler, ...] = (
    Handler("announce", announce, MESSAGE_EVENTS, is_quick=True),
    Handler("wake_sagas", _wake_sagas, _SAGA_EVENTS, is_quick=True),
    Handler("withdraw_offer", _withdraw_offer, ("ConfirmationDecided",), is_quick=True),
    Handler("score", _mark_score_due, _SCORE_EVENTS, is_quick=True),
    Handler("act_on_score", _act_on_score, ("LeadScored",)),
    Handler("index_courses", _index_courses, ("CourseChanged",)),
    Handler("time_ticket", _time_ticket, ("TicketOpened", "TicketStatusChanged")),
    Handler("note_message", _note_message, ("MessageReceived", "AdvisorReplied")),
    Handler("certify", _certify, ("InvoicePaid", "InvoiceCancelled")),
    Handler("count", _count, MODELS_OF),
)

BY_NAME: Mapping[str, Handler] = {handler.name: handler for handler in HANDLERS}
#: Event → the names of its handlers.
NAMES: Mapping[str, tuple[str, ...]] = {
    event: tuple(h.name for h in HANDLERS if event in h.events)
    for handler in HANDLERS
    for event in handler.events
}
QUICK = tuple(handler.name for handler in HANDLERS if handler.is_quick)
SLOW = tuple(handler.name for handler in HANDLERS if not handler.is_quick)


async def deliver(services: Services, delivery: Delivery) -> None:
    """Give an event to a handler."""
    await BY_NAME[delivery.handler].run(services, delivery.event)
