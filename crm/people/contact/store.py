"""All the SQL of contact preferences."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from crm.db import Connection
from crm.ids import PersonId
from crm.people.contact.models import ContactPreferences


async def select_preferences(
    conn: Connection, people: Sequence[PersonId]
) -> Mapping[PersonId, ContactPreferences]:
    """Return the preferences of those who have any."""
    rows = await conn.execute(
        "SELECT person_id, preferred_channel, opted_out FROM contact_preferences "
        "WHERE person_id = ANY(%s)",
        [list(people)],
    )
    return {
        row["person_id"]: ContactPreferences(row["preferred_channel"], frozenset(row["opted_out"]))
        for row in await rows.fetchall()
    }


async def upsert_preferences(
    conn: Connection, person_id: PersonId, wished: ContactPreferences, *, at: datetime
) -> None:
    """Keep how a person wishes to be reached."""
    await conn.execute(
        """
        INSERT INTO contact_preferences (person_id, preferred_channel, opted_out, updated_at)
        VALUES (%(person)s, %(preferred)s, %(opted_out)s, %(at)s)
        ON CONFLICT (person_id) DO UPDATE SET preferred_channel = excluded.preferred_channel,
            opted_out = excluded.opted_out, updated_at = excluded.updated_at
        """,
        {
            "person": person_id,
            "preferred": wished.preferred_channel,
            "opted_out": sorted(wished.opted_out),
            "at": at,
        },
    )
