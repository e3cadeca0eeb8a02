"""A person learns who was shown their record."""

from datetime import timedelta
from typing import Any

import pytest

from crm.actor import SERVICE_ACTOR, Actor, AgentIdentity, IdentityLevel, Role
from crm.clock import FixedClock
from crm.errors import Denied, NotFound
from crm.ids import PersonId, StaffId, SubjectId, new_id
from crm.journal.accesses import store
from crm.journal.accesses.models import RecordAccess
from crm.journal.accesses.service import AccessService
from crm.people.models import CreatePerson, Person
from crm.people.service import PeopleService

Archive = Any


def _staff(role: Role) -> Actor:
    staff_id = StaffId(new_id())
    return Actor(SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=role)


async def _new_person(archive: Archive) -> Person:
    command = CreatePerson(full_name="Ana Pérez")
    return await PeopleService(archive.database).create_person(command, actor=SERVICE_ACTOR)


def _themself(person_id: PersonId) -> Actor:
    return Actor(SubjectId(new_id()), IdentityLevel.VERIFIED, person_id=person_id)


async def _log(archive: Archive, person_id: PersonId, limit: int = 50) -> list[RecordAccess]:
    page = await AccessService(archive.database).list_accesses(
        person_id, cursor=None, limit=limit, actor=_themself(person_id)
    )
    return list(page.items)


async def test_reading_a_person_is_logged_with_its_audit_record(
    archive: Archive, clock: FixedClock
) -> None:
    person, advisor = await _new_person(archive), _staff(Role.ADVISOR)
    people = PeopleService(archive.database)

    await people.get_person(person.id, actor=advisor)
    clock.advance(timedelta(seconds=1))
    await people.list_people(cursor=None, limit=10, actor=advisor)

    listed, read = await _log(archive, person.id)
    assert (read.action, listed.action) == ("person.read", "person.list")
    assert (read.staff_id, read.actor_role, read.agent) == (advisor.staff_id, "advisor", None)
    sql = "SELECT count(*) FROM audit_events WHERE id = %s AND action = 'person.read'"
    assert await archive.count(sql, read.audit_id) == 1


async def test_access_and_audit_record_are_one_transaction(archive: Archive) -> None:
    person = await _new_person(archive)

    async def fails() -> None:
        async with archive.database.transaction() as uow:
            uow.audit(archive.entry(effect="READ", people=(person.id,)))
            await uow.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()

    assert await _log(archive, person.id) == []


async def test_one_record_that_shows_a_person_twice_is_one_access(archive: Archive) -> None:
    person, other = await _new_person(archive), await _new_person(archive)
    agent = AgentIdentity("student_support", "offline", "1")
    actor = Actor(SubjectId(new_id()), agent=agent)

    await archive.append(
        archive.entry(effect="READ", people=(person.id, other.id, person.id), actor=actor),
        archive.entry(effect="READ"),
    )

    for someone in (person, other):
        (access,) = await _log(archive, someone.id)
        assert (access.actor_kind, access.agent) == ("student", "student_support")


async def test_log_is_for_the_person_and_for_admins_only(archive: Archive) -> None:
    person, other = await _new_person(archive), await _new_person(archive)
    accesses = AccessService(archive.database)

    async def look(actor: Actor) -> int:
        page = await accesses.list_accesses(person.id, cursor=None, limit=10, actor=actor)
        return len(page.items)

    with pytest.raises(Denied, match=r"auth\.role"):
        await look(_staff(Role.ADVISOR))
    with pytest.raises(Denied, match=r"identity\.level"):
        await look(Actor(SubjectId(new_id()), IdentityLevel.CHANNEL, person_id=person.id))
    with pytest.raises(NotFound):
        await look(_themself(other.id))
    assert await look(_themself(person.id)) == 0
    assert await look(_staff(Role.ADMIN)) == 0
    assert await look(_themself(person.id)) == 1  # the admin's own look


async def test_pages_of_the_log_lose_nothing(archive: Archive, clock: FixedClock) -> None:
    person = await _new_person(archive)
    for n in range(7):
        await archive.append(archive.entry(effect="READ", people=(person.id,)))
        clock.advance(timedelta(seconds=n % 2))

    seen, cursor = [], None
    while True:
        page = await AccessService(archive.database).list_accesses(
            person.id, cursor=cursor, limit=3, actor=_themself(person.id)
        )
        seen += [access.audit_id for access in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert len(set(seen)) == len(seen) == 7


async def test_page_of_the_log_is_found_by_index(archive: Archive) -> None:
    person = await _new_person(archive)
    await archive.execute(
        "INSERT INTO record_accesses SELECT gen_random_uuid(), now(), gen_random_uuid(), 'staff', "
        "'advisor', NULL, NULL, 'person.read' FROM generate_series(1, 20000)"
    )
    await archive.execute("ANALYZE record_accesses")

    async with archive.database.transaction() as uow:
        before = await _scans(uow.conn)
        await store.select_accesses(uow.conn, [person.id], after=None, limit=50)
        assert await _scans(uow.conn) == before


async def _scans(conn: Any) -> int:
    rows = await conn.execute("SELECT pg_stat_get_xact_numscans('record_accesses'::regclass) AS n")
    return int((await rows.fetchone())["n"])
