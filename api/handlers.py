"""Which handlers want which domain events.

A handler may get an event twice, late, or out of order: it looks at the database for what is so
now, and does what it does once.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from api.announce import MESSAGE_EVENTS, announce
from api.bootstrap import Services
from api.course_index import index_courses
from crm.journal.deliveries.models import Delivery, StoredEvent


@dataclass(frozen=True, slots=True)
class Handler:
    """Something that is done about an event.

    Args:
        name: stays the same: deliveries that wait carry it.
        is_quick: done by whichever process relays the event, without a worker.
    """

    name: str
    run: Callable[[Services, StoredEvent], Awaitable[object]]
    is_quick: bool = False


async def _index_courses(services: Services, event: StoredEvent) -> None:
    await index_courses(services)


async def _time_ticket(services: Services, event: StoredEvent) -> None:
    await services.sla.time_ticket(event.id_of("ticket_id"))


_ANNOUNCE = Handler("announce", announce, is_quick=True)
_INDEX_COURSES = Handler("index_courses", _index_courses)
_TIME_TICKET = Handler("time_ticket", _time_ticket)

#: Event → its handlers.
HANDLERS: Mapping[str, tuple[Handler, ...]] = {
    **dict.fromkeys(MESSAGE_EVENTS, (_ANNOUNCE,)),
    "CourseChanged": (_INDEX_COURSES,),
    "TicketOpened": (_TIME_TICKET,),
    "TicketStatusChanged": (_TIME_TICKET,),
}

#: Event → the names of its handlers.
NAMES: Mapping[str, tuple[str, ...]] = {
    event: tuple(handler.name for handler in handlers) for event, handlers in HANDLERS.items()
}
BY_NAME: Mapping[str, Handler] = {h.name: h for handlers in HANDLERS.values() for h in handlers}
QUICK = tuple(name for name, handler in BY_NAME.items() if handler.is_quick)
SLOW = tuple(name for name, handler in BY_NAME.items() if not handler.is_quick)


async def deliver(services: Services, delivery: Delivery) -> None:
    """Give an event to a handler."""
    await BY_NAME[delivery.handler].run(services, delivery.event)
