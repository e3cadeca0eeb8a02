"""What staff read of leads; every reading says whose records it showed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.journal.audit import shown
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import audits_reads
from crm.pipeline import store
from crm.pipeline.activities import store as activities
from crm.pipeline.activities.models import Activity
from crm.pipeline.models import Lead, LeadFilters, LeadId, LeadSort, StageChange
from crm.pipeline.sla import store as clocks
from crm.pipeline.sla.models import SlaClock


@dataclass(frozen=True, slots=True)
class LeadDetail:
    """A lead with its history and its clocks, both oldest first."""

    lead: Lead
    history: tuple[StageChange, ...]
    clocks: tuple[SlaClock, ...]


class LeadReading:
    """Lists, details and timelines of leads."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def list_leads(
        self,
        filters: LeadFilters,
        *,
        sort: LeadSort = "newest",
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[Lead]:
        """Return leads, the newest or the last active first.

        Raises: RuleBroken("page.cursor"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await store.select_leads(
                uow.conn, filters, sort=sort, after=after, limit=limit + 1
            )
            page = page_of(rows, limit, lambda lead: _cursor(lead, sort))
            if audits_reads(actor):
                people = [lead.person_id for lead in page.items]
                uow.audit(shown(actor, "lead.list", people, searched=filters.query is not None))
        return page

    async def get_lead(self, lead_id: LeadId, *, actor: Actor) -> LeadDetail:
        """Return a lead with its history and clocks.

        Raises: NotFound("lead.unknown"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        async with self._db.audited_read() as uow:
            lead = await _find(uow, lead_id)
            history = await store.select_stages(uow.conn, lead_id)
            found = await clocks.select_clocks(uow.conn, "lead", lead_id)
            if audits_reads(actor):
                uow.audit(shown(actor, "lead.read", [lead.person_id], lead_id=lead_id))
        return LeadDetail(lead, tuple(history), tuple(found))

    async def lead_timeline(
        self, lead_id: LeadId, *, cursor: str | None = None, limit: int = 50, actor: Actor
    ) -> Page[Activity]:
        """Return what happened with a lead, the latest first.

        Raises: NotFound("lead.unknown"); RuleBroken("page.cursor"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            lead = await _find(uow, lead_id)
            rows = await activities.select_activities(
                uow.conn, lead_id=lead_id, after=after, limit=limit + 1
            )
            if audits_reads(actor):
                uow.audit(shown(actor, "lead.timeline", [lead.person_id], lead_id=lead_id))
        return page_of(rows, limit, lambda a: encode_cursor(a.occurred_at, a.id))

    async def person_timeline(
        self, person_id: PersonId, *, cursor: str | None = None, limit: int = 50, actor: Actor
    ) -> Page[Activity]:
        """Return what happened with a person, whatever lead it belongs to, the latest first.

        Raises: RuleBroken("page.cursor"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await activities.select_activities(
                uow.conn, person_id=person_id, after=after, limit=limit + 1
            )
            if audits_reads(actor):
                uow.audit(shown(actor, "person.timeline", [person_id]))
        return page_of(rows, limit, lambda a: encode_cursor(a.occurred_at, a.id))


async def _find(uow: UnitOfWork, lead_id: LeadId) -> Lead:
    lead = await store.select_lead(uow.conn, lead_id)
    if lead is None:
        raise NotFound("lead.unknown", "There is no such lead.")
    return lead


def _cursor(lead: Lead, sort: LeadSort) -> str:
    at = lead.created_at if sort == "newest" else lead.last_activity_at
    return encode_cursor(at, lead.id)
