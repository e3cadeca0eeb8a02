"""Two records made one and two again, and every row there is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from crm.actor import SERVICE_ACTOR
from crm.ids import new_id
from crm.people.contact.models import ContactPreferences
from crm.people.contact.service import PreferenceService
from crm.people.merging.service import MergeService
from crm.people.models import GiveConsent

if TYPE_CHECKING:
    from crm.people.models import Person

Registry = Any
#: Records of what was done, and of the merge itself: these only grow.
JOURNAL = {"audit_events", "audit_chains", "outbox", "record_accesses", "subject_keys"}
OWN = {"person_merges", "person_merge_moves", "duplicate_queue", "duplicate_suggestions"}


async def merge(registry: Registry, survivor: Person, merged: Person) -> Any:
    """Make one of two."""
    return await MergeService(registry.database).merge(survivor.id, merged.id, actor=SERVICE_ACTOR)


async def undo(registry: Registry, merge_id: object) -> Any:
    """Make two of one again."""
    return await MergeService(registry.database).undo(merge_id, actor=SERVICE_ACTOR)


async def consent(registry: Registry, person: Person, granted: bool, channel: str) -> None:
    """Let somebody consent to marketing, or withdraw it."""
    command = GiveConsent(
        person_id=person.id,
        channel=channel,  # type: ignore[arg-type]
        purpose="marketing",
        granted=granted,
        source="staff",
        text_version="1",
    )
    await registry.people.record_consent(command, actor=SERVICE_ACTOR)


async def consents_of(registry: Registry, person: Person) -> dict[str, bool]:
    """Return what somebody said of each channel."""
    found = await registry.people.current_consents(person.id, actor=SERVICE_ACTOR)
    return {c.channel: c.granted for c in found}


async def opted_out(registry: Registry, person: Person) -> frozenset[str]:
    """Return the channels that somebody wants to be left alone on."""
    service = PreferenceService(registry.database)
    found = await service.get_preferences(person.id, actor=SERVICE_ACTOR)
    return frozenset(found.opted_out)


async def wish(registry: Registry, person: Person, *channels: Any) -> None:
    """Let somebody be left alone on some channels."""
    await PreferenceService(registry.database).set_preferences(
        person.id, ContactPreferences(None, frozenset(channels)), actor=SERVICE_ACTOR
    )


async def furnish(registry: Registry, person: Person) -> None:
    """Give somebody a conversation with a message and a session, a ticket and a code."""
    conversation_id = await registry.new_conversation(person.id)
    await registry.execute(
        "UPDATE conversations SET person_id = %s WHERE id = %s", person.id, conversation_id
    )
    await registry.execute(
        "INSERT INTO messages (id, conversation_id, role, source, external_id, body, created_at) "
        "VALUES (gen_random_uuid(), %s, 'student', 'widget', gen_random_uuid(), 'Hola', now())",
        conversation_id,
    )
    await registry.execute(
        "INSERT INTO chat_sessions VALUES (uuid_send(gen_random_uuid()), %s, %s, %s, 2, now(), "
        "now())",
        *(conversation_id, person.id, person.id),
    )
    await registry.execute(
        "INSERT INTO tickets (id, subject_id, person_id, category, title, description, priority, "
        "status, created_at, updated_at) VALUES (gen_random_uuid(), %s, %s, 'other', 'Título', "
        "'Texto', 'normal', 'open', now(), now())",
        *(person.id, person.id),
    )

    await _owe(registry, person)


async def _owe(registry: Registry, person: Person) -> None:
    """Give somebody an invoice and a payment of it."""
    invoice_id, key = new_id(), str(new_id())
    await registry.execute(
        "INSERT INTO invoices (id, reference, person_id, debtor_id, net_minor, currency, "
        "created_at) VALUES (%s, %s, %s, %s, 500, 'PEN', now())",
        *(invoice_id, key, person.id, person.id),
    )
    await registry.execute(
        "INSERT INTO payments (id, invoice_id, person_id, gateway, amount_minor, currency, "
        "effect_key, status, version, created_at, updated_at) "
        "VALUES (gen_random_uuid(), %s, %s, 'manual', 500, 'PEN', %s, 'initiated', 1, now(), "
        "now())",
        *(invoice_id, person.id, key),
    )


async def rows_of(registry: Registry) -> dict[str, Counter[str]]:
    """Return every row of every table that is not a mere record of what was done."""
    found: dict[str, Counter[str]] = {}
    async with registry.database.read() as conn:
        tables = await conn.execute(
            "SELECT table_name AS name FROM information_schema.tables "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for table in await tables.fetchall():
            if table["name"] in JOURNAL | OWN:
                continue
            rows = await conn.execute(
                f"SELECT (to_jsonb(t) - 'version' - 'updated_at')::text AS row "
                f'FROM "{table["name"]}" t'
            )
            found[table["name"]] = Counter(row["row"] for row in await rows.fetchall())
    return found
