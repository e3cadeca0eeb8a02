"""What is past its time goes, in batches; what is young or still to be done stays."""

from datetime import UTC, datetime, timedelta

from api.bootstrap import open_services
from api.settings import Settings
from api.worker.retention import forget_all
from crm.clock import FixedClock
from crm.db import Database
from crm.ids import new_id
from tests.rows import Rows

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
KINDS = ("staff sessions", "chat sessions", "codes", "mailbox messages", "outbound messages")
TABLES = (
    "staff_sessions",
    "chat_sessions",
    "verification_codes",
    "mailbox_messages",
    "outbound_messages",
)


class House(Rows):
    """A database in which something of each kind ages."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def clear(self) -> None:
        for table in TABLES:
            await self.execute(f"DELETE FROM {table}")

    async def add(self, at: datetime, *, status: str = "sent") -> None:
        """Add one row of each kind."""
        conversation, token, end = await self.new_conversation(), new_id().bytes, at
        await self.execute(
            "WITH s AS (INSERT INTO staff (id, email, name, role, password_hash, languages, areas,"
            " active, created_at) VALUES (%s, %s, 'Lucía', 'advisor', '', '{es}', '{}', true, %s)"
            " RETURNING id) INSERT INTO staff_sessions SELECT %s, id, %s, %s FROM s",
            *(new_id(), f"{new_id()}@andino.example", at, token, at, end),
        )
        await self.execute(
            "INSERT INTO chat_sessions (token_hash, conversation_id, subject_id, level, created_at,"
            " expires_at) VALUES (%s, %s, %s, 0, %s, %s)",
            *(token, conversation, new_id(), at, end),
        )
        await self.execute(
            "INSERT INTO verification_codes (id, conversation_id, channel, code_hash, created_at,"
            " expires_at) VALUES (%s, %s, 'email', '', %s, %s)",
            *(new_id(), conversation, at, end),
        )
        await self.execute(
            "INSERT INTO mailbox_messages VALUES (%s, %s, 'email', 'a@b.example', '', '', %s)",
            *(new_id(), str(new_id()), at),
        )
        await self.execute(
            "WITH p AS (INSERT INTO people (id, full_name, locale, time_zone, status, created_at,"
            " updated_at) VALUES (%s, 'Ana', 'es', 'America/Lima', 'active', %s, %s) RETURNING id)"
            " INSERT INTO outbound_messages (id, effect_key, channel, basis, template, locale,"
            " sealed, status, created_at, person_id) SELECT %s, %s, 'email', 'contract_notice',"
            " 't', 'es', '{}', %s, %s, id FROM p",
            *(new_id(), at, at, new_id(), str(new_id()), status, at),
        )


async def test_old_rows_go_in_batches_and_young_or_unsent_ones_stay(settings: Settings) -> None:
    async with open_services(settings, clock=FixedClock(NOW)) as services:
        house = House(services.database)
        await house.clear()
        for _ in range(5):
            await house.add(NOW - timedelta(days=400))
        await house.add(NOW - timedelta(days=400), status="intent")
        await house.add(NOW - timedelta(days=29))

        first = await forget_all(services, is_over=lambda: True, batch=2)
        assert {first[kind] for kind in KINDS} == {2}
        rest = await forget_all(services, is_over=lambda: False, batch=2)
        assert [rest[kind] for kind in KINDS] == [4, 4, 4, 4, 3]
        again = await forget_all(services, is_over=lambda: False, batch=2)
        assert not any(again.values())

        left = [await house.count(f"SELECT count(*) FROM {table}") for table in TABLES]
        assert left == [1, 1, 1, 1, 2]
