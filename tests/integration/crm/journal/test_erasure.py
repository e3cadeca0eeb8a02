"""After an erasure nobody can say who somebody was, and everything else still holds."""

from __future__ import annotations

from typing import Any

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel, Role
from crm.errors import Denied, NotFound, RuleBroken
from crm.ids import PersonId, StaffId, SubjectId, new_id
from crm.journal.erasure.service import ErasureService
from crm.journal.erasure.tables import HARMLESS, WIPED
from crm.journal.idempotency import IdempotencyKey
from crm.messaging.outbound.proof import prove_contact
from crm.people.contact.quiet import QuietHours
from crm.people.service import PeopleService
from tests.integration.crm.journal.lives import Life, live, places

Archive = Any


@pytest.fixture
def erasures(archive: Archive) -> ErasureService:
    return ErasureService(archive.database)


async def _erase(erasures: ErasureService, life: Life) -> Any:
    return await erasures.erase(
        life.person.id, confirmation=life.person.full_name, actor=SERVICE_ACTOR
    )


async def test_nothing_in_the_whole_database_tells_who_it_was(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await live(archive)
    before = await places(archive, life.words)
    assert before >= {
        "people.full_name", "people.email", "people.phone", "people.search", "messages.body",
        "messages.external_id", "tickets.title", "tickets.description", "ticket_events.to_value",
        "conversations.summary", "conversations.memory", "run_steps.output", "handoffs.reason",
        "confirmations.arguments", "mailbox_messages.recipient", "mailbox_messages.body",
        "activities.about", "tasks.title",
        "checkpoints.checkpoint", "checkpoint_blobs.blob", "checkpoint_writes.blob",
    }  # fmt: skip

    await _erase(erasures, life)

    assert await places(archive, life.words) == set()


async def test_no_record_of_the_audit_tells_it_either_when_opened(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await live(archive)
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
    life = await live(archive)
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
    life = await live(archive)

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
    life = await live(archive)
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
    life = await live(archive)
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
    life, other = await live(archive), await live(archive)
    before = await places(archive, other.words)

    await _erase(erasures, life)

    assert await places(archive, other.words) == before
    async with archive.database.transaction() as uow:
        assert await uow.key(other.person.id) is not None


async def test_restored_backup_is_erased_again_by_the_list(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await live(archive)
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
    assert await places(archive, life.words) == set()
    sql = "SELECT count(*) FROM subject_keys WHERE subject_id = ANY(%s) AND wrapped_key IS NULL"
    assert await archive.count(sql, list(kept.subjects)) == len(kept.subjects)
    listed = [e.person_id async for e in erasures.list_all()]
    assert life.person.id in listed


async def test_erasure_needs_an_admin_and_the_name(
    archive: Archive, erasures: ErasureService
) -> None:
    life = await live(archive)
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
    assert "people.full_name" in await places(archive, life.words)


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
