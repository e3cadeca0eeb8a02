"""How sagas are read: staff any, students their own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.courses.seats.authority import seat_owner
from crm.db import Database
from crm.errors import NotFound
from crm.journal.audit import shown
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.payments import store as payments
from crm.payments.models import InvoiceId, Payment
from crm.people.authority import audits_reads
from crm.workflows import store
from crm.workflows.models import InvoicedCourse, Saga, SagaId, SagaStep


class SagaReading:
    """The reading half of the sagas' use cases."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get_saga(
        self, saga_id: SagaId, *, actor: Actor
    ) -> tuple[Saga, tuple[SagaStep, ...], Payment | None]:
        """Return a saga with its steps and its latest payment; a student finds only their own.

        Raises: NotFound("saga.unknown"); Denied("auth.role" | "identity.level").
        """
        owner = seat_owner(actor, write=False)
        async with self._db.audited_read() as uow:
            saga = await store.select_saga(uow.conn, saga_id, owner=owner)
            if saga is None:
                raise unknown_saga()
            steps = await store.select_steps(uow.conn, saga_id)
            if audits_reads(actor):
                uow.audit(shown(actor, "saga.read", (saga.person_id,)))
            made = (
                await payments.select_payments_of(uow.conn, saga.invoice_id)
                if saga.invoice_id
                else []
            )
        return saga, tuple(steps), made[-1] if made else None

    async def titles_of(
        self, invoice_ids: Sequence[InvoiceId], *, actor: Actor
    ) -> Mapping[InvoiceId, InvoicedCourse]:
        """Return which courses some invoices are for, a student's own only.

        Raises: Denied("auth.role" | "identity.level").
        """
        owner = seat_owner(actor, write=False)
        async with self._db.read() as conn:
            return await store.select_invoiced(conn, invoice_ids, owner=owner)

    async def list_sagas(
        self,
        filters: Mapping[str, object] | None = None,
        *,
        cursor: str | None = None,
        limit: int = 50,
        actor: Actor,
    ) -> Page[Saga]:
        """Return sagas, the newest first; a student finds only their own.

        Args:
            filters: any of `status`, `person_id`, `is_parked`; None is no filter.
        Raises: RuleBroken("page.cursor"); Denied("auth.role" | "identity.level").
        """
        owner = seat_owner(actor, write=False)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await store.select_sagas(
                uow.conn, filters or {}, owner=owner, after=after, limit=limit + 1
            )
            page = page_of(rows, limit, lambda s: encode_cursor(s.created_at, s.id))
            if audits_reads(actor):
                seen = tuple(saga.person_id for saga in page.items)
                uow.audit(shown(actor, "saga.list", seen))
        return page


def unknown_saga() -> NotFound:
    """Return that there is no such saga, or that it is another's."""
    return NotFound("saga.unknown", "There is no such saga.")
