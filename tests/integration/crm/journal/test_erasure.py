"""After an erasure nobody can say who somebody was, and everything else still holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel, Role
from crm.errors import Denied, NotFound, RuleBroken
from crm.ids import ConversationId, PersonId, StaffId, SubjectId, new_id
from crm.journal.erasure.service import ErasureService
from crm.journal.erasure.tables import HARMLESS, WIPED
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


@pytest.fixture
def erasures(archive: Archive) -> ErasureService:
    return ErasureService(archive.database)


async def _live(archive: Archive) -> Life:
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


async def _places(archive: Archive, words: Iterable[str]) -> set[str]:
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


async def _erase(erasures: ErasureService, life: Life) -> Any:
    return await erasures.erase(
        life.person.id, confirmation=life.person.full_name, actor=SERVICE_ACTOR
    )


async def test_nothing_in_the_whole_database_tells_who_it_was(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await _live(archive)
    before = await _places(archive, life.words)
    assert before >= {
        "people.full_name", "people.email", "people.phone", "people.search", "messages.body",
        "messages.external_id", "tickets.title", "tickets.description", "ticket_events.to_value",
        "conversations.summary", "conversations.memory", "run_steps.output", "handoffs.reason",
        "confirmations.arguments", "mailbox_messages.recipient", "mailbox_messages.body",
        "activities.about", "tasks.title",
        "checkpoints.checkpoint", "checkpoint_blobs.blob", "checkpoint_writes.blob",
    }  # fmt: skip

    await _erase(erasures, life)

    assert await _places(archive, life.words) == set()


async def test_no_record_of_the_audit_tells_it_either_when_opened(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await _live(archive)
    before = await _opened(archive)
    assert [word for word in life.words if word in before] != []

    await _erase(erasures, life)

    opened = await _opened(archive)
    assert [word for word in life.words if word in opened] == []


async def _opened(archive: Archive) -> str:
    texts: list[str] = []
    cursor = None
    while True:
        page = await archive.journal.list_audit_events({}, cursor=cursor, limit=200)
        texts += [str(record) for record in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return "".join(texts)


async def test_keys_of_person_visit_and_merged_record_are_gone_for_good(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await _live(archive)
    async with archive.database.read() as conn:
        rows = await conn.execute(
            "SELECT subject_id FROM conversations WHERE id = %s", [life.conversation_id]
        )
        row = await rows.fetchone()
    assert row is not None
    subjects = {life.person.id, life.merged.id, row["subject_id"]}

    erasure = await _erase(erasures, life)

    assert set(erasure.subjects) >= subjects
    async with archive.database.transaction() as uow:
        assert set((await uow.keys(subjects)).values()) == {None}


async def test_audit_still_verifies_and_its_payloads_are_closed(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await _live(archive)

    await _erase(erasures, life)

    assert (await archive.journal.verify_chains()).broken == ()
    page = await archive.journal.list_audit_events({}, cursor=None, limit=200)
    about = [r for r in page.items if r.header["subject_id"] == life.person.id]
    assert about
    assert all(set(r.payload.values()) <= {None} for r in about)
    (done,) = [r for r in page.items if r.header["action"] == "person.erase"][:1]
    assert done.payload["person_id"] == str(life.person.id)


async def test_person_is_left_as_a_placeholder_that_nobody_can_write_to_or_change(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await _live(archive)
    await _erase(erasures, life)
    people = PeopleService(archive.database)

    left = await people.get_person(life.person.id, actor=SERVICE_ACTOR)

    assert (left.status, left.full_name) == ("erased", "Persona eliminada")
    with pytest.raises(RuleBroken, match=r"person\.inactive"):
        await people.update_person(
            left.id, {"full_name": "Otra"}, actor=SERVICE_ACTOR, expected_version=left.version
        )
    with pytest.raises(RuleBroken, match=r"contact\.inactive"):
        async with archive.database.transaction() as uow:
            await prove_contact(
                uow,
                person_id=left.id,
                basis="contract_notice",
                channel="email",
                quiet=QuietHours(),
            )
    sql = "SELECT count(*) FROM chat_sessions WHERE person_id = %s AND revoked_at IS NULL"
    assert await archive.count(sql, left.id) == 0


async def test_erasing_twice_is_erasing_once(archive: Archive, erasures: ErasureService) -> None:
    life = await _live(archive)
    key = IdempotencyKey("http:test", str(new_id()), SubjectId(new_id()))
    name = life.person.full_name

    first, again = [
        await erasures.erase(
            life.person.id, confirmation=name, actor=SERVICE_ACTOR, idempotency=key
        )
        for _ in range(2)
    ]

    assert first == again
    sql = "SELECT count(*) FROM outbox WHERE name = 'PersonErased' AND payload->>'person_id' = %s"
    assert await archive.count(sql, str(life.person.id)) == 1


async def test_others_lose_nothing(archive: Archive, erasures: ErasureService) -> None:
    life, other = await _live(archive), await _live(archive)
    before = await _places(archive, other.words)

    await _erase(erasures, life)

    assert await _places(archive, other.words) == before
    async with archive.database.transaction() as uow:
        assert await uow.key(other.person.id) is not None


async def test_restored_backup_is_erased_again_by_the_list(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await _live(archive)
    kept = await _erase(erasures, life)
    # A restore: the person and a key are back, and this database's own list knows nothing.
    await archive.execute("DELETE FROM person_erasures WHERE person_id = %s", life.person.id)
    await archive.execute(
        "UPDATE people SET status = 'active', full_name = %s, email = %s WHERE id = %s",
        *(life.words[0], life.words[1], life.person.id),
    )
    await archive.execute(
        "UPDATE subject_keys SET wrapped_key = '\\x00', destroyed_at = NULL WHERE subject_id = ANY"
        "(%s)",
        list(kept.subjects),
    )

    count = await erasures.replay([(kept.person_id, kept.subjects), (PersonId(new_id()), ())])

    assert count == 1
    assert await _places(archive, life.words) == set()
    sql = "SELECT count(*) FROM subject_keys WHERE subject_id = ANY(%s) AND wrapped_key IS NULL"
    assert await archive.count(sql, list(kept.subjects)) == len(kept.subjects)
    listed = [e.person_id async for e in erasures.list_all()]
    assert life.person.id in listed


async def test_erasure_needs_an_admin_and_the_name(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await _live(archive)
    staff_id = StaffId(new_id())
    advisor = Actor(
        SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=Role.ADVISOR
    )

    with pytest.raises(Denied, match=r"auth\.role"):
        await erasures.erase(life.person.id, confirmation=life.person.full_name, actor=advisor)
    with pytest.raises(RuleBroken, match=r"erasure\.confirmation"):
        await erasures.erase(life.person.id, confirmation="yes", actor=SERVICE_ACTOR)
    with pytest.raises(RuleBroken, match=r"erasure\.merged"):
        await erasures.erase(
            life.merged.id, confirmation=life.merged.full_name, actor=SERVICE_ACTOR
        )
    with pytest.raises(NotFound):
        await erasures.erase(PersonId(new_id()), confirmation="x", actor=SERVICE_ACTOR)
    assert "people.full_name" in await _places(archive, life.words)


async def test_every_table_that_leads_to_a_person_is_known_to_the_erasure(
    archive: Archive,
) -> None:
    """A new one belongs into WIPED or, with a reason, into HARMLESS (erasure/tables.py)."""
    async with archive.database.read() as conn:
        rows = await conn.execute(
            """
            WITH RECURSIVE reach (t) AS (
                SELECT r FROM unnest(ARRAY['people', 'conversations']::regclass[]) AS n (r)
                UNION
                SELECT c.conrelid::regclass FROM pg_constraint c JOIN reach ON c.confrelid = t
                WHERE c.contype = 'f'
            )
            SELECT t::text AS t FROM reach
            UNION
            SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'
                AND column_name IN ('person_id', 'subject_id', 'conversation_id', 'thread_id')
            """
        )
        leading = {row["t"] for row in await rows.fetchall()}
    wiped = {w.table for w in WIPED}

    assert leading - wiped - HARMLESS.keys() == set()
    assert not wiped & HARMLESS.keys()
