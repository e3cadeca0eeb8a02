"""Effects and their records live and die together, and a changed record is found."""

import asyncio
from typing import Any

import psycopg
import pytest

from crm.actor import Actor, Role
from crm.errors import Unavailable
from crm.ids import StaffId, SubjectId, new_id
from crm.journal.audit import shard_of

Archive = Any
EFFECTS = "SELECT count(*) FROM areas WHERE code = %s"
EVENTS = "SELECT count(*) FROM outbox WHERE payload->>'staff_id' = %s"
RECORDS = "SELECT count(*) FROM audit_events WHERE effect_key = %s"


class _Interrupted(Exception):
    pass


async def _write(archive: Archive, code: str, staff_id: StaffId, *, fail: bool) -> None:
    from crm.identity.events import StaffLoggedIn

    async with archive.database.transaction() as uow:
        await archive.write_area(uow, code)
        uow.publish(StaffLoggedIn(staff_id=staff_id))
        uow.audit(archive.entry(effect_key=code))
        if fail:
            raise _Interrupted


async def test_commit_keeps_effect_event_and_record(archive: Archive) -> None:
    code, staff_id = str(new_id()), StaffId(new_id())

    await _write(archive, code, staff_id, fail=False)

    found = [await archive.count(sql, code) for sql in (EFFECTS, RECORDS)]
    assert [*found, await archive.count(EVENTS, str(staff_id))] == [1, 1, 1]


async def test_rollback_removes_effect_event_and_record(archive: Archive) -> None:
    code, staff_id = str(new_id()), StaffId(new_id())

    with pytest.raises(_Interrupted):
        await _write(archive, code, staff_id, fail=True)

    found = [await archive.count(sql, code) for sql in (EFFECTS, RECORDS)]
    assert [*found, await archive.count(EVENTS, str(staff_id))] == [0, 0, 0]


async def test_record_that_cannot_be_written_undoes_the_effect(archive: Archive) -> None:
    code, key = str(new_id()), str(new_id())
    await archive.append(archive.entry(effect_key=key))

    async def repeat() -> None:
        async with archive.database.transaction() as uow:
            await archive.write_area(uow, code)
            uow.audit(archive.entry(effect_key=key))

    with pytest.raises(psycopg.errors.UniqueViolation):
        await repeat()

    assert await archive.count(EFFECTS, code) == 0


async def test_effect_key_has_one_record_of_success_and_any_of_failure(archive: Archive) -> None:
    key = str(new_id())

    await archive.append(
        archive.entry(effect_key=key, outcome="failed"),
        archive.entry(effect_key=key, outcome="failed"),
        archive.entry(effect_key=key),
    )

    assert await archive.count(RECORDS, key) == 3


async def test_writers_of_one_chain_at_once_leave_it_whole(archive: Archive) -> None:
    chain_id = new_id()

    await asyncio.gather(
        *(archive.append(archive.entry(chain_id=chain_id, step=n)) for n in range(25))
    )

    records = await archive.records(chain_id)
    assert [r.header["seq"] for r in records] == list(range(1, 26))
    assert {r.header["step"] for r in records} == set(range(25))
    assert (await archive.journal.verify_chains()).broken == ()


async def test_writers_of_several_chains_in_any_order_do_not_deadlock(archive: Archive) -> None:
    one, two = new_id(), new_id()
    pairs = [(one, two), (two, one)] * 10

    await asyncio.gather(
        *(archive.append(*(archive.entry(chain_id=c) for c in pair)) for pair in pairs)
    )

    assert [len(await archive.records(c)) for c in (one, two)] == [20, 20]


async def test_staff_outside_conversations_share_sixteen_chains(archive: Archive) -> None:
    actors = [
        Actor(SubjectId(new_id()), staff_id=StaffId(new_id()), role=Role.ADVISOR) for _ in range(60)
    ]

    await archive.append(*(archive.entry(actor=a, chain_id=None) for a in actors))

    chains = {shard_of(a) for a in actors}
    sql = "SELECT count(*) FROM audit_chains WHERE kind = 'shard' AND chain_id = ANY(%s)"
    assert await archive.count(sql, list(chains)) == len(chains) <= 16
    assert (await archive.journal.verify_chains()).broken == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET outcome = 'refused'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
    ],
)
async def test_table_takes_nothing_but_new_records(archive: Archive, statement: str) -> None:
    await archive.append(archive.entry())

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        await archive.execute(statement)


@pytest.mark.parametrize(
    ("change", "seq", "reason"),
    [
        (
            "UPDATE audit_events SET outcome = 'refused' WHERE chain_id = %s AND seq = 2",
            2,
            "altered",
        ),
        ("UPDATE audit_events SET latency_ms = 1 WHERE chain_id = %s AND seq = 3", 3, "altered"),
        (
            "UPDATE audit_events SET sealed = jsonb_set(sealed, '{0,box}', '\"AAAA\"') "
            "WHERE chain_id = %s AND seq = 1",
            1,
            "altered",
        ),
        (
            "UPDATE audit_events SET occurred_at = occurred_at + interval '1 microsecond' "
            "WHERE chain_id = %s AND seq = 2",
            2,
            "altered",
        ),
        ("DELETE FROM audit_events WHERE chain_id = %s AND seq = 2", 2, "missing"),
        ("DELETE FROM audit_events WHERE chain_id = %s AND seq = 3", 3, "head does not match"),
        ("DELETE FROM audit_events WHERE chain_id = %s", 1, "head does not match"),
    ],
)
async def test_record_changed_behind_our_back_is_found(
    archive: Archive, change: str, seq: int, reason: str
) -> None:
    chain_id = new_id()
    await archive.append(*(archive.entry(chain_id=chain_id, payload={"n": n}) for n in range(3)))
    async with archive.database.transaction() as uow:
        await uow.conn.execute("ALTER TABLE audit_events DISABLE TRIGGER USER")
        await uow.conn.execute(change, [chain_id])
        await uow.conn.execute("ALTER TABLE audit_events ENABLE TRIGGER USER")

    broken = (await archive.journal.verify_chains()).broken

    assert [(b.seq, b.reason) for b in broken if b.chain_id == chain_id] == [(seq, reason)]


async def test_erased_key_empties_the_payload_and_the_chain_still_verifies(
    archive: Archive,
) -> None:
    visitor, other, chain_id = SubjectId(new_id()), new_id(), new_id()
    await archive.append(
        archive.entry(
            actor=Actor(visitor),
            chain_id=chain_id,
            payload={"mine": "mine", "theirs": "theirs"},
            others={"theirs": other},
            arguments={"text": "hola"},
        )
    )
    before = (await archive.records(chain_id))[0]
    assert before.payload == {"mine": "mine", "theirs": "theirs", "arguments": {"text": "hola"}}

    await _erase(archive, visitor)

    after = (await archive.records(chain_id))[0]
    assert after.payload == {"mine": None, "theirs": "theirs", "arguments": None}
    assert after.header == before.header
    broken = (await archive.journal.verify_chains()).broken
    assert chain_id not in {b.chain_id for b in broken}


async def test_records_after_an_erasure_stay_empty_and_verify(archive: Archive) -> None:
    visitor, chain_id = SubjectId(new_id()), new_id()
    entry = archive.entry(
        actor=Actor(visitor), chain_id=chain_id, payload={"late": 1}, arguments={"late": 1}
    )
    await archive.append(archive.entry(actor=Actor(visitor), chain_id=chain_id))
    await _erase(archive, visitor)

    await archive.append(entry)

    late = (await archive.records(chain_id))[1]
    assert late.payload == {"late": None, "arguments": None}
    assert late.header["arguments_digest"] is None
    broken = (await archive.journal.verify_chains()).broken
    assert chain_id not in {b.chain_id for b in broken}


async def test_another_master_key_opens_nothing(archive: Archive) -> None:
    from crm.db import Database
    from crm.journal.service import JournalService
    from crm.journal.vault import Vault

    await archive.append(archive.entry(payload={"secret": 1}))
    stranger = Database(archive.database.pool, archive.database.clock, Vault(bytes(32)))

    with pytest.raises(Unavailable, match=r"journal\.master_key"):
        await JournalService(stranger).list_audit_events({}, cursor=None, limit=1)


async def _erase(archive: Archive, subject_id: SubjectId) -> None:
    await archive.execute(
        "UPDATE subject_keys SET wrapped_key = NULL, destroyed_at = now() WHERE subject_id = %s",
        subject_id,
    )
