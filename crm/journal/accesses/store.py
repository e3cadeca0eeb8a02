"""All the SQL of the access log."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow, class_row

from crm.journal.accesses.models import RecordAccess
from crm.journal.audit import AuditEntry
from crm.journal.leavings.models import Part


def access_part(entries: Sequence[AuditEntry], audit_ids: Sequence[UUID]) -> Iterator[Part]:
    """Yield what notes whose records the entries showed; others are passed over.

    Args:
        audit_ids: of the entries, in the same order.
    """
    shown = [
        (person, audit_id, entry)
        for entry, audit_id in zip(entries, audit_ids, strict=True)
        for person in set(entry.people)
    ]
    if shown:
        yield Part(
            """
            INSERT INTO record_accesses (person_id, at, audit_id, actor_kind, actor_role, staff_id,
                agent, action)
            SELECT p, %(at)s, i, k, r, s, g, a
            FROM unnest(%(people)b::uuid[], %(audit_ids)b::uuid[], %(actor_kinds)b::text[],
                %(roles)s::text[], %(staff)s::uuid[], %(agents)s::text[], %(actions)b::text[])
                AS n (p, i, k, r, s, g, a)
            """,
            {
                "people": [person for person, _, _ in shown],
                "audit_ids": [audit_id for _, audit_id, _ in shown],
                "actor_kinds": [e.actor.kind for _, _, e in shown],
                "roles": [e.actor.role and str(e.actor.role) for _, _, e in shown],
                "staff": [e.actor.staff_id for _, _, e in shown],
                "agents": [e.actor.agent and e.actor.agent.name for _, _, e in shown],
                "actions": [e.action for _, _, e in shown],
            },
        )


async def select_identities(conn: AsyncConnection[DictRow], person_id: UUID) -> list[UUID]:
    """Return a person's id and those of whoever was merged into them; nothing for nobody."""
    rows = await conn.execute(
        "SELECT id FROM people WHERE id = %(id)s UNION ALL "
        "SELECT id FROM people WHERE merged_into = %(id)s",
        {"id": person_id},
    )
    return [row["id"] for row in await rows.fetchall()]


async def select_accesses(
    conn: AsyncConnection[DictRow],
    people: Sequence[UUID],
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[RecordAccess]:
    """Return who was shown these people's records, the latest first, after (at, audit_id)."""
    at, last = after or (None, None)
    async with conn.cursor(row_factory=class_row(RecordAccess)) as cursor:
        await cursor.execute(
            """
            SELECT a.at, a.actor_kind, a.actor_role, a.staff_id, s.name AS staff_name, a.agent,
                a.action, a.audit_id
            FROM record_accesses a LEFT JOIN staff s ON s.id = a.staff_id
            WHERE a.person_id = ANY(%(people)s)
              AND (%(at)s::timestamptz IS NULL OR (a.at, a.audit_id) < (%(at)s, %(last)s::uuid))
            ORDER BY a.at DESC, a.audit_id DESC LIMIT %(limit)s
            """,
            {"people": list(people), "at": at, "last": last, "limit": limit},
        )
        return await cursor.fetchall()
