"""The demo's mailbox: takes what an e-mail or SMS provider would have delivered."""

from datetime import datetime, timedelta
from uuid import UUID

from crm.db import Database
from crm.messaging.outbound import store
from crm.messaging.outbound.models import MailboxMessage, RenderedMessage
from crm.paging import Page, decode_cursor, encode_cursor, page_of


class MailboxTransport:
    """Delivers into a table that anybody at the demo may read; never outside demo mode."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def send(self, mail: RenderedMessage) -> None:
        """Deliver, once an effect key."""
        async with self._db.transaction() as uow:
            await store.insert_mailbox_message(uow.conn, mail, at=uow.clock.now())

    async def list_mailbox(self, *, cursor: str | None, limit: int) -> Page[MailboxMessage]:
        """Return what was delivered, newest first.

        Raises: RuleBroken("page.cursor").
        """
        async with self._db.read() as conn:
            rows = await store.select_mailbox(
                conn, after=decode_cursor(cursor, datetime.fromisoformat, UUID), limit=limit + 1
            )
        return page_of(rows, limit, lambda m: encode_cursor(m.created_at, m.id))

    async def forget(self, *, older_than: timedelta, limit: int = 1_000) -> int:
        """Delete what was delivered long ago; returns how many."""
        async with self._db.transaction() as uow:
            before = uow.clock.now() - older_than
            return await store.delete_mailbox(uow.conn, before=before, limit=limit)
