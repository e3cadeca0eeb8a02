"""What tests look at and change in a database behind the services' back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.ids import ConversationId, new_id

if TYPE_CHECKING:
    from uuid import UUID

    from crm.db import Database


class Rows:
    """Whoever holds a database may count its rows and change them."""

    database: Database

    async def execute(self, sql: str, *values: object) -> None:
        """Run a statement in a transaction of its own."""
        async with self.database.transaction() as uow:
            await uow.conn.execute(sql, list(values))  # type: ignore[arg-type]

    async def count(self, sql: str, *values: object) -> int:
        """Return the one number a query gives."""
        async with self.database.read() as conn:
            rows = await conn.execute(sql, list(values))  # type: ignore[arg-type]
            row = await rows.fetchone()
        return int(row["count"]) if row else 0

    async def new_conversation(self, subject_id: UUID | None = None) -> ConversationId:
        """Start somebody's conversation, by default a visitor's."""
        conversation_id, now = ConversationId(new_id()), self.database.clock.now()
        await self.execute(
            "INSERT INTO conversations (id, channel, subject_id, locale, status, created_at, "
            "last_message_at) VALUES (%s, 'widget', %s, 'es', 'agent', %s, %s)",
            *(conversation_id, subject_id or new_id(), now, now),
        )
        return conversation_id
