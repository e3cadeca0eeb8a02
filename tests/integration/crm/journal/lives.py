"""A made-up life that has left traces everywhere, and where they can be found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from crm.actor import SERVICE_ACTOR
from crm.ids import ConversationId, SubjectId, new_id
from crm.journal.idempotency import IdempotencyKey
from crm.messaging.conversations.service import ConversationService
from crm.messaging.outbound.mailbox import MailboxTransport
from crm.messaging.outbound.models import OutboundIntent
from crm.messaging.outbound.proof import prove_contact
from crm.messaging.outbound.service import OutboundService, queue_outbound
from crm.people.contact.models import ContactPreferences
from crm.people.contact.quiet import QuietHours
from crm.people.contact.service import PreferenceService
from crm.people.merging.service import MergeService
from crm.people.models import CreatePerson, GiveConsent, Person
from crm.people.service import PeopleService
from crm.support.commands import OpenTicket
from crm.support.service import SupportService

if TYPE_CHECKING:
    from collections.abc import Iterable

Archive = Any
WORDS = ("Xiomara", "Quintanilla-Zz")


@dataclass
class Life:
    """Somebody who has left traces everywhere, and what they can be recognised by."""

    person: Person
    merged: Person
    conversation_id: ConversationId
    words: tuple[str, ...]


async def live(archive: Archive) -> Life:
    """Let somebody talk, ask, consent, receive mail, be merged and be recorded."""
    tag = uuid4().hex
    name = f"{WORDS[0]}{tag} {WORDS[1]}"
    words = (
        f"{WORDS[0]}{tag}", f"{tag}@correo.example", f"+5198{tag[:7].translate(_DIGITS)}",
        f"secret{tag}", f"other{tag}",
    )  # fmt: skip
    people = PeopleService(archive.database)
    key = IdempotencyKey("http:test", str(new_id()), new_id())
    person = await people.create_person(
        CreatePerson(full_name=name, email=words[1], birth_date=date(1990, 5, 1)),
        actor=SERVICE_ACTOR,
        idempotency=key,
    )
    merged = await people.create_person(
        CreatePerson(full_name=f"{words[0]} Otra", email=f"{words[4]}@correo.example"),
        actor=SERVICE_ACTOR,
    )
    await archive.execute("UPDATE people SET phone = %s WHERE id = %s", words[2], person.id)
    conversation_id = await _talk(archive, person, words[3])
    await _ask(archive, person, conversation_id, words[3])
    await _write_to(archive, person, words[3])
    await MergeService(archive.database).merge(person.id, merged.id, actor=SERVICE_ACTOR)
    return Life(person, merged, conversation_id, words)


_DIGITS = {ord(c): str(int(c, 16) % 10) for c in "abcdef"}


async def _talk(archive: Archive, person: Person, said: str) -> ConversationId:
    conversations = ConversationService(
        archive.database,
        session_life=timedelta(hours=1),
        max_chars=4_000,
        settle=timedelta(0),
        settle_max=timedelta(0),
    )
    started = await conversations.start_session(locale="es")
    await conversations.accept_message(
        started.session, client_message_id=f"{said}-id", text=f"Me llamo {said}"
    )
    verified = await conversations.verify_session(started.session, person.id)
    conversation_id = verified.session.conversation_id
    run_id = new_id()
    for sql, values in (
        (
            "UPDATE conversations SET summary = %s, memory = jsonb_build_object('name', %s::text), "
            "handoff_reason = %s WHERE id = %s",
            (said, said, said, conversation_id),
        ),
        (
            "INSERT INTO runs (id, conversation_id, epoch, status, started_at) "
            "VALUES (%s, %s, 1, 'running', now())",
            (run_id, conversation_id),
        ),
        ("INSERT INTO run_steps VALUES (%s, 1, to_jsonb(%s::text), now())", (run_id, said)),
        (
            "INSERT INTO confirmations (id, conversation_id, run_id, call_key, tool, tool_version, "
            "tool_call_id, effect, arguments, frozen_hash, summary, status, created_at, expires_at)"
            " VALUES (%s, %s, %s, %s, 't', 1, 'c', 'WRITE', jsonb_build_object('a', %s::text), "
            "'', %s, 'pending', now(), now())",
            (new_id(), conversation_id, run_id, str(run_id), said, said),
        ),
        (
            "INSERT INTO handoffs (id, conversation_id, reason, requested_at) "
            "VALUES (%s, %s, %s, now())",
            (new_id(), conversation_id, said),
        ),
        (
            "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) "
            "VALUES (%s, '1', to_jsonb(%s::text))",
            (str(run_id), said),
        ),
        (
            "INSERT INTO checkpoint_blobs (thread_id, channel, version, type, blob) "
            "VALUES (%s, 'c', '1', 'x', convert_to(%s, 'UTF8'))",
            (str(run_id), said),
        ),
        (
            "INSERT INTO checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, blob) "
            "VALUES (%s, '1', '1', 1, 'c', convert_to(%s, 'UTF8'))",
            (str(run_id), said),
        ),
    ):
        await archive.execute(sql, *values)
    return ConversationId(conversation_id)


async def _ask(
    archive: Archive, person: Person, conversation_id: ConversationId, said: str
) -> None:
    support = SupportService(archive.database)
    ticket = await support.open_ticket_for_staff(
        OpenTicket(
            subject_id=SubjectId(person.id),
            person_id=person.id,
            conversation_id=conversation_id,
            category="other",
            title=f"Título {said}",
            description=f"Texto {said}",
        ),
        actor=SERVICE_ACTOR,
        idempotency=IdempotencyKey("http:test", str(new_id()), new_id()),
    )
    await archive.execute(
        "INSERT INTO activities (id, person_id, kind, about, occurred_at) "
        "VALUES (gen_random_uuid(), %s, 'note', jsonb_build_object('note', %s::text), now())",
        *(person.id, said),
    )
    await archive.execute(
        "INSERT INTO tasks (id, person_id, title, due_at, status, created_at, updated_at) "
        "VALUES (gen_random_uuid(), %s, %s, now(), 'open', now(), now())",
        *(person.id, said),
    )
    await support.add_note(ticket.id, f"Nota {said}", actor=SERVICE_ACTOR)


async def _write_to(archive: Archive, person: Person, said: str) -> None:
    await PeopleService(archive.database).record_consent(
        GiveConsent(
            person_id=person.id,
            channel="email",
            purpose="marketing",
            granted=True,
            source="widget",
            text_version="1",
        ),
        actor=SERVICE_ACTOR,
    )
    await PreferenceService(archive.database).set_preferences(
        person.id, ContactPreferences("email", frozenset({"sms"})), actor=SERVICE_ACTOR
    )
    outbound = OutboundService(
        archive.database, MailboxTransport(archive.database), quiet=QuietHours()
    )
    for leaves in (True, False):
        async with archive.database.transaction() as uow:
            proof = await prove_contact(
                uow,
                person_id=person.id,
                basis="contract_notice",
                channel="email",
                quiet=QuietHours(),
            )
            params = {"code": said, "minutes": "1", "institution": "Instituto"}
            intent = OutboundIntent(
                effect_key=str(new_id()),
                proof=proof,
                template="verification_code",
                params=params,
            )
            await queue_outbound(uow, intent)
        if leaves:
            assert await outbound.deliver_due()


async def places(archive: Archive, words: Iterable[str]) -> set[str]:
    """Return table.column of every value in the whole database that holds one of the words."""
    found = set()
    async with archive.database.read() as conn:
        columns = await conn.execute(
            """
            SELECT c.table_name AS t, c.column_name AS c, c.udt_name AS kind
            FROM information_schema.columns c JOIN information_schema.tables t
              ON t.table_schema = c.table_schema AND t.table_name = c.table_name
            WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.udt_name IN
                ('text', 'varchar', '_text', 'jsonb', 'json', 'bytea', 'tsvector', 'bpchar')
            """
        )
        for column in await columns.fetchall():
            value = f'"{column["c"]}"'
            text = f"encode({value}, 'escape')" if column["kind"] == "bytea" else f"{value}::text"
            rows = await conn.execute(
                f'SELECT count(*) AS n FROM "{column["t"]}" WHERE lower({text}) LIKE ANY(%s)',
                [[f"%{word.lower()}%" for word in words]],
            )
            row = await rows.fetchone()
            if row and row["n"]:
                found.add(f"{column['t']}.{column['c']}")
    return found
