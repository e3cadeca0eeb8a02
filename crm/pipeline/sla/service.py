"""Use cases of SLA clocks: tell of those that are late, and say when the institution works."""

from uuid import UUID

from crm.actor import Actor
from crm.business_hours import BusinessCalendar, write_week
from crm.db import Database
from crm.identity.permissions import Area, require
from crm.journal.audit import performed
from crm.pipeline.sla import acts, store


class SlaService:
    """The clocks and the calendar by which they run."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def breach_due(self, *, limit: int = acts.BREACH_BATCH) -> int:
        """Tell of the clocks that became late; returns how many there were."""
        async with self._db.transaction() as uow:
            return await acts.breach_due(uow, limit=limit)

    async def time_ticket(self, ticket_id: UUID) -> None:
        """Let a ticket's clock do what its status says now."""
        async with self._db.transaction() as uow:
            await acts.time_ticket(uow, ticket_id)

    async def get_calendar(self, *, actor: Actor) -> BusinessCalendar:
        """Return when the institution works.

        Raises: Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        async with self._db.read() as conn:
            return await store.select_calendar(conn)

    async def set_calendar(self, calendar: BusinessCalendar, *, actor: Actor) -> BusinessCalendar:
        """Change when the institution works, for the clocks that start or resume from now on.

        Raises: Denied("auth.role").
        """
        require(actor, Area.STAFF, write=True)
        async with self._db.transaction() as uow:
            await store.update_calendar(uow.conn, calendar)
            uow.audit(
                performed(
                    actor,
                    "calendar.update",
                    payload={
                        "time_zone": calendar.time_zone,
                        "week": write_week(calendar.week),
                        "holidays": sorted(calendar.holidays),
                    },
                )
            )
        return calendar
