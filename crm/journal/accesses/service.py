"""Use case of the access log: a person, or an admin, sees who read the person's record."""

from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.db import Database
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.journal.accesses import store
from crm.journal.accesses.models import RecordAccess
from crm.journal.audit import performed
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people import authority


class AccessService:
    """Reads the access log, which the unit of work writes."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def list_accesses(
        self, person_id: PersonId, *, cursor: str | None, limit: int, actor: Actor
    ) -> Page[RecordAccess]:
        """Return who was shown a person's record, the latest first.

        Raises:
            Denied: `auth.role`: staff who may not read the audit; `identity.level`.
            NotFound("person.unknown"): nobody, or a student asks about somebody else.
            RuleBroken("page.cursor").
        """
        own = authority.owner_of(actor)
        if own is None:
            require(actor, Area.AUDIT)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            known = await store.select_identities(uow.conn, person_id)
            if not known or own not in (None, person_id):
                raise NotFound("person.unknown", "There is no such person.")
            rows = await store.select_accesses(uow.conn, known, after=after, limit=limit + 1)
            if authority.audits_reads(actor):
                uow.audit(
                    performed(actor, "person.accesses", "READ", about=person_id, people=[person_id])
                )
        return page_of(rows, limit, lambda a: encode_cursor(a.at, a.audit_id))
