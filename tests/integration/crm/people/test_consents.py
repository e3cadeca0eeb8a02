"""Consents are a record that only grows; a minor's grant is their guardian's."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from crm.actor import Actor, IdentityLevel
from crm.clock import FixedClock
from crm.errors import NotFound, RuleBroken
from crm.ids import PersonId, SubjectId, new_id
from crm.journal.idempotency import IdempotencyKey
from crm.people.models import GiveConsent

Registry = Any


def _grant(person_id: PersonId) -> GiveConsent:
    return GiveConsent(
        person_id=person_id,
        channel="email",
        purpose="marketing",
        granted=True,
        source="staff",
        text_version="2026-01",
    )


async def test_last_word_counts_and_the_record_keeps_all(
    registry: Registry, clock: FixedClock
) -> None:
    ana = await registry.new_person()
    grant = _grant(ana.id)
    for command in (grant, replace(grant, channel="sms"), replace(grant, granted=False)):
        await registry.people.record_consent(command, actor=registry.advisor)
        clock.advance(timedelta(seconds=1))

    current = await registry.people.current_consents(ana.id, actor=registry.advisor)

    assert [(c.channel, c.granted) for c in current] == [("email", False), ("sms", True)]
    sql = "SELECT count(*) FROM consents WHERE person_id = %s"
    assert await registry.count(sql, ana.id) == 3


async def test_consents_of_one_moment_keep_their_order(registry: Registry) -> None:
    ana = await registry.new_person()
    for granted in (True, False, True, False):
        command = replace(_grant(ana.id), granted=granted)
        await registry.people.record_consent(command, actor=registry.advisor)

    (current,) = await registry.people.current_consents(ana.id, actor=registry.advisor)

    assert current.granted is False


async def test_consent_is_audited_and_published(registry: Registry) -> None:
    ana = await registry.new_person()

    consent = await registry.people.record_consent(_grant(ana.id), actor=registry.advisor)

    record = (await registry.records_about(ana.id))[0]
    assert record.header["action"] == "person.consent"
    assert record.payload["consent"]["id"] == str(consent.id)
    sql = (
        "SELECT count(*) FROM outbox WHERE name = 'ConsentRecorded' AND payload->>'person_id' = %s"
    )
    assert await registry.count(sql, str(ana.id)) == 1


async def test_minor_needs_the_guardian_on_file_to_grant_and_nobody_to_withdraw(
    registry: Registry,
) -> None:
    rosa = await registry.new_person("Rosa", birth_date=date(1980, 1, 1))
    other = await registry.new_person("Otra", birth_date=date(1980, 1, 1))
    tomas = await registry.new_person("Tomás", birth_date=date(2012, 5, 1), guardian_id=rosa.id)
    grant = _grant(tomas.id)

    for command in (grant, replace(grant, guardian_id=other.id)):
        with pytest.raises(RuleBroken, match=r"consent\.guardian"):
            await registry.people.record_consent(command, actor=registry.advisor)
    for command in (replace(grant, guardian_id=rosa.id), replace(grant, granted=False)):
        await registry.people.record_consent(command, actor=registry.advisor)


async def test_student_speaks_for_themself_only(registry: Registry) -> None:
    ana, luis = await registry.new_person("Ana"), await registry.new_person("Luis")
    student = Actor(SubjectId(new_id()), IdentityLevel.VERIFIED, person_id=ana.id)

    await registry.people.record_consent(_grant(ana.id), actor=student)
    with pytest.raises(NotFound, match=r"person\.unknown"):
        await registry.people.record_consent(_grant(luis.id), actor=student)


async def test_same_key_records_once(registry: Registry) -> None:
    ana = await registry.new_person()
    key = IdempotencyKey("http", str(new_id()), registry.advisor.subject_id)

    made = await asyncio.gather(
        *(
            registry.people.record_consent(_grant(ana.id), actor=registry.advisor, idempotency=key)
            for _ in range(10)
        )
    )

    assert all(consent == made[0] for consent in made)
    sql = "SELECT count(*) FROM consents WHERE person_id = %s"
    assert await registry.count(sql, ana.id) == 1


async def test_recorded_consent_cannot_be_rewritten(registry: Registry) -> None:
    ana = await registry.new_person()
    await registry.people.record_consent(_grant(ana.id), actor=registry.advisor)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with registry.database.transaction() as uow:
            await uow.conn.execute("UPDATE consents SET granted = NOT granted")
