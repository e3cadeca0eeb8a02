"""Distributes events to their handlers and sees each delivery to its end."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from crm.actor import Actor
from crm.db import Database
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import INSTITUTION
from crm.journal.audit import AuditEntry, performed
from crm.journal.deliveries import store
from crm.journal.deliveries.models import (
    CLAIM,
    HANDLER_LIMIT,
    DeadLetter,
    Deliver,
    Delivery,
    retry_in,
)
from crm.paging import Page, decode_cursor, encode_cursor, page_of


class DeliveryService:
    """Events and their handlers; any number of processes may work on them at once."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def distribute(self, handlers: Mapping[str, Sequence[str]], *, limit: int = 50) -> int:
        """Make the deliveries of events that are due; returns how many events there were.

        Args:
            handlers: event name → names of the handlers that want it.
        """
        async with self._db.transaction() as uow:
            at = uow.clock.now()
            rows = await store.claim_outbox(uow.conn, limit=limit, at=at)
            if rows:
                await store.distribute(uow.conn, rows, handlers, at=at)
        return len(rows)

    async def run_due(
        self,
        deliver: Deliver,
        handlers: Sequence[str],
        *,
        overdue: timedelta = timedelta(0),
        limit: int = 20,
    ) -> int:
        """Give events to handlers, outside any transaction, and note what became of each.

        Args:
            deliver: may run again for a delivery whose process died; raises to be called later.
            handlers: leaves the deliveries of all others alone.
            overdue: take only what should have been done this long ago.
        Returns: how many were tried; 0 when nothing was due.
        """
        # A claim that is lost in a crash costs a repetition, which every handler bears.
        async with self._db.transaction(durable=False) as uow:
            at = uow.clock.now()
            taken = await store.claim_due(
                uow.conn,
                handlers=handlers,
                due=at - overdue,
                at=at,
                until=at + CLAIM,
                limit=limit,
            )
        for delivery in taken:
            await self._try(deliver, delivery)
        return len(taken)

    async def _try(self, deliver: Deliver, delivery: Delivery) -> None:
        error = await _error_of(deliver, delivery)
        async with self._db.transaction() as uow:
            at = uow.clock.now()
            if error is None:
                await store.mark_done(uow.conn, delivery, at=at)
                return
            wait = retry_in(delivery.attempts)
            await store.mark_failed(
                uow.conn, delivery, error=error, retry_at=at + wait if wait else None, at=at
            )

    async def list_dead(self, *, cursor: str | None, limit: int, actor: Actor) -> Page[DeadLetter]:
        """Return what was given up, the latest first.

        Raises: Denied("auth.role"); RuleBroken("page.cursor").
        """
        require(actor, Area.EVENTS)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.read() as conn:
            rows = await store.select_dead(conn, after=after, limit=limit + 1)
        return page_of(rows, limit, lambda row: encode_cursor(row.dead_at, row.event_id))

    async def replay(
        self, *, event_id: UUID | None = None, handler: str | None = None, actor: Actor
    ) -> int:
        """Try dead deliveries again: one event's, one handler's, or all; returns how many.

        Raises:
            Denied("auth.role").
            NotFound("delivery.unknown"): this event has no dead delivery.
        """
        require(actor, Area.EVENTS, write=True)
        async with self._db.transaction() as uow:
            at = uow.clock.now()
            count = await store.revive(uow.conn, event_id=event_id, handler=handler, at=at)
            if event_id is not None and not count:
                raise NotFound("delivery.unknown", "There is no dead delivery of this event.")
            uow.audit(_entry(actor, event_id, handler, count))
        return count

    async def forget(self, *, older_than: timedelta, limit: int = 1_000) -> int:
        """Delete events that every handler has had long ago; returns how many."""
        async with self._db.transaction() as uow:
            return await store.delete_old(
                uow.conn, before=uow.clock.now() - older_than, limit=limit
            )


async def _error_of(deliver: Deliver, delivery: Delivery) -> str | None:
    try:
        async with asyncio.timeout(HANDLER_LIMIT.total_seconds()):
            await deliver(delivery)
    except Exception as failure:  # noqa: BLE001 one bad handler must not hold back the others
        # A text that no column can hold would leave the delivery in hand for ever.
        text = f"{type(failure).__name__}: {failure}"[:500].replace("\x00", "")
        return text.encode("utf-8", "replace").decode()
    return None


def _entry(actor: Actor, event_id: UUID | None, handler: str | None, count: int) -> AuditEntry:
    return performed(
        actor,
        "events.replay",
        arguments={"event_id": event_id, "handler": handler},
        payload={"deliveries": count},
        about=INSTITUTION,
    )
