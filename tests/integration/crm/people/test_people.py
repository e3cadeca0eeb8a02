"""People are created, changed and read by those who may, each time with a record."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from crm.actor import Actor, AgentIdentity, IdentityLevel
from crm.clock import FixedClock
from crm.errors import Conflict, Denied, NotFound, RuleBroken
from crm.ids import PersonId, SubjectId, new_id
from crm.journal.idempotency import IdempotencyKey
from crm.people.models import CreatePerson, Person, PersonChanges

Registry = Any


def _student(person: Person, level: IdentityLevel = IdentityLevel.VERIFIED) -> Actor:
    return Actor(SubjectId(new_id()), level, person_id=person.id)


def _key(registry: Registry) -> IdempotencyKey:
    return IdempotencyKey("http", str(new_id()), registry.advisor.subject_id)


async def test_person_is_stored_normalised_with_event_and_record(registry: Registry) -> None:
    person = await registry.new_person(
        "  Ana  María Pérez ", email="Ana.PEREZ1@Correo.example", phone="987 111 222"
    )

    assert (person.full_name, person.version) == ("Ana María Pérez", 1)
    assert (person.email, person.phone) == ("ana.perez1@correo.example", "+51987111222")
    assert person.time_zone == "America/Lima"
    found = await registry.people.get_person(person.id, actor=registry.advisor)
    assert found == person
    read, created = await registry.records_about(person.id)
    assert (created.header["action"], created.header["effect"]) == ("person.create", "WRITE")
    assert created.payload["person"]["email"] == "ana.perez1@correo.example"
    assert (read.header["action"], read.header["effect"]) == ("person.read", "READ")
    sql = "SELECT count(*) FROM outbox WHERE name = 'PersonCreated' AND payload->>'person_id' = %s"
    assert await registry.count(sql, str(person.id)) == 1


async def test_event_carries_no_personal_data(registry: Registry) -> None:
    await registry.new_person("Zoraida Inconfundible", email="zoraida@correo.example")

    sql = "SELECT count(*) FROM outbox WHERE payload::text ~* 'zoraida|inconfundible'"
    assert await registry.count(sql) == 0


@pytest.mark.parametrize("field", ["email", "phone"])
async def test_address_of_somebody_else_is_refused_and_leaves_nothing(
    registry: Registry, field: str
) -> None:
    facts = {"email": f"{new_id()}@correo.example", "phone": "+51 987 333 444"}
    await registry.new_person(**facts)
    people = await registry.count("SELECT count(*) FROM people")
    records = await registry.count("SELECT count(*) FROM audit_events")

    with pytest.raises(Conflict, match=f"person.{field}_taken"):
        await registry.new_person(**{field: facts[field]})

    assert await registry.count("SELECT count(*) FROM people") == people
    assert await registry.count("SELECT count(*) FROM audit_events") == records
    await registry.people.update_person(
        (await registry.people.find_by_address(phone=facts["phone"])).id,
        {"phone": None},
        actor=registry.advisor,
        expected_version=1,
    )


async def test_student_reads_themself_and_nobody_else(registry: Registry) -> None:
    ana, luis = await registry.new_person("Ana"), await registry.new_person("Luis")

    assert await registry.people.get_person(ana.id, actor=_student(ana)) == ana
    assert (await registry.people.profile(ana.id, actor=_student(ana))).person == ana
    for read in (
        registry.people.get_person,
        registry.people.profile,
        registry.people.current_consents,
    ):
        with pytest.raises(NotFound) as hidden:
            await read(luis.id, actor=_student(ana))
        with pytest.raises(NotFound) as absent:
            await read(PersonId(new_id()), actor=_student(ana))
        assert str(hidden.value) == str(absent.value)
    with pytest.raises(NotFound, match=r"person\.unknown"):
        await registry.people.update_person(
            luis.id, {"full_name": "Yo"}, actor=_student(ana), expected_version=1
        )


async def test_student_who_is_not_verified_reads_nothing(registry: Registry) -> None:
    ana = await registry.new_person()

    for level in (IdentityLevel.VISITOR, IdentityLevel.CHANNEL):
        with pytest.raises(Denied, match=r"identity\.level"):
            await registry.people.get_person(ana.id, actor=_student(ana, level))


async def test_student_lists_and_creates_nobody(registry: Registry) -> None:
    ana = await registry.new_person()

    with pytest.raises(Denied, match=r"auth\.staff"):
        await registry.people.list_people("Ana", cursor=None, limit=5, actor=_student(ana))
    with pytest.raises(Denied, match=r"auth\.staff"):
        await registry.people.create_person(CreatePerson(full_name="X"), actor=_student(ana))


async def test_student_changes_their_name_but_not_their_address(registry: Registry) -> None:
    ana = await registry.new_person("Ana")

    changed = await registry.people.update_person(
        ana.id, {"full_name": "Ana Sofía", "locale": "en"}, actor=_student(ana), expected_version=1
    )
    assert (changed.full_name, changed.locale, changed.version) == ("Ana Sofía", "en", 2)
    with pytest.raises(Denied, match=r"person\.field"):
        await registry.people.update_person(
            ana.id, {"email": "otra@correo.example"}, actor=_student(ana), expected_version=2
        )


async def test_reads_by_an_agent_or_a_student_are_left_to_the_tool_runner(
    registry: Registry,
) -> None:
    ana = await registry.new_person()
    agent = AgentIdentity("student_support", "offline", "1")
    through_agent = Actor(
        registry.advisor.subject_id,
        IdentityLevel.VERIFIED,
        staff_id=registry.advisor.staff_id,
        role=registry.advisor.role,
        agent=agent,
    )

    await registry.people.get_person(ana.id, actor=_student(ana))
    await registry.people.get_person(ana.id, actor=through_agent)

    assert [r.header["action"] for r in await registry.records_about(ana.id)] == ["person.create"]


async def test_stale_change_is_refused(registry: Registry) -> None:
    ana = await registry.new_person()
    changes: list[PersonChanges] = [{"full_name": "Ana Uno"}, {"full_name": "Ana Dos"}]

    outcomes = await asyncio.gather(
        *(
            registry.people.update_person(ana.id, c, actor=registry.advisor, expected_version=1)
            for c in changes
        ),
        return_exceptions=True,
    )

    refused = [o for o in outcomes if isinstance(o, Conflict)]
    assert [o.code for o in refused] == ["person.stale"]
    assert await registry.count("SELECT version AS count FROM people WHERE id = %s", ana.id) == 2


async def test_change_that_changes_nothing_writes_nothing(registry: Registry) -> None:
    ana = await registry.new_person("Ana")

    same = await registry.people.update_person(
        ana.id, {"full_name": " Ana "}, actor=registry.advisor, expected_version=1
    )

    assert same == ana
    assert len(await registry.records_about(ana.id)) == 1


async def test_change_is_recorded_with_before_and_after(registry: Registry) -> None:
    ana = await registry.new_person("Ana", birth_date=date(2000, 2, 29))

    await registry.people.update_person(
        ana.id,
        {"birth_date": None, "time_zone": "America/Bogota"},
        actor=registry.advisor,
        expected_version=1,
    )

    record = (await registry.records_about(ana.id))[0]
    assert record.payload["changes"] == {
        "birth_date": ["2000-02-29", None],
        "time_zone": ["America/Lima", "America/Bogota"],
    }


@pytest.mark.parametrize("status", ["merged", "erased"])
async def test_merged_or_erased_person_is_not_changed(registry: Registry, status: str) -> None:
    ana, luis = await registry.new_person("Ana"), await registry.new_person("Luis")
    async with registry.database.transaction() as uow:
        await uow.conn.execute(
            "UPDATE people SET status = %s, merged_into = %s WHERE id = %s",
            [status, luis.id if status == "merged" else None, ana.id],
        )

    with pytest.raises(RuleBroken, match=r"person\.inactive"):
        await registry.people.update_person(
            ana.id, {"full_name": "Eva"}, actor=registry.advisor, expected_version=1
        )


async def test_guardian_is_another_adult_on_file(registry: Registry) -> None:
    adult = await registry.new_person("Rosa", birth_date=date(1980, 1, 1))
    minor = await registry.new_person("Tomás", birth_date=date(2012, 1, 1), guardian_id=adult.id)

    assert minor.guardian_id == adult.id
    for guardian_id in (minor.id, PersonId(new_id())):
        with pytest.raises(RuleBroken, match=r"person\.guardian"):
            await registry.new_person("Eva", guardian_id=guardian_id)
    with pytest.raises(RuleBroken, match=r"person\.guardian"):
        await registry.people.update_person(
            adult.id, {"guardian_id": adult.id}, actor=registry.advisor, expected_version=1
        )


async def test_same_key_ten_times_at_once_creates_one_person(registry: Registry) -> None:
    key, command = _key(registry), CreatePerson(full_name="Única Persona")

    made = await asyncio.gather(
        *(
            registry.people.create_person(command, actor=registry.advisor, idempotency=key)
            for _ in range(10)
        )
    )

    assert len({p.id for p in made}) == 1
    assert all(p == made[0] for p in made)
    sql = "SELECT count(*) FROM people WHERE full_name = 'Única Persona'"
    assert await registry.count(sql) == 1
    assert len(await registry.records_about(made[0].id)) == 1


async def test_same_key_with_other_arguments_is_refused(registry: Registry) -> None:
    key = _key(registry)
    await registry.people.create_person(
        CreatePerson(full_name="Uno"), actor=registry.advisor, idempotency=key
    )

    with pytest.raises(Conflict, match=r"idempotency\.mismatch"):
        await registry.people.create_person(
            CreatePerson(full_name="Dos"), actor=registry.advisor, idempotency=key
        )


async def test_repeated_change_returns_what_the_first_did(registry: Registry) -> None:
    ana, key = await registry.new_person("Ana"), _key(registry)
    call = {"actor": registry.advisor, "expected_version": 1, "idempotency": key}
    first = await registry.people.update_person(ana.id, {"full_name": "Ana Dos"}, **call)
    await registry.people.update_person(
        ana.id, {"full_name": "Ana Tres"}, actor=registry.advisor, expected_version=2
    )

    again = await registry.people.update_person(ana.id, {"full_name": "Ana Dos"}, **call)

    assert again == first
    assert again.version == 2


async def test_failed_first_call_leaves_the_key_free(registry: Registry) -> None:
    ana, key = await registry.new_person("Ana"), _key(registry)
    changes: PersonChanges = {"full_name": "Ana Dos"}
    with pytest.raises(Conflict, match=r"person\.stale"):
        await registry.people.update_person(
            ana.id, changes, actor=registry.advisor, expected_version=7, idempotency=key
        )

    changed = await registry.people.update_person(
        ana.id, changes, actor=registry.advisor, expected_version=1, idempotency=key
    )

    assert changed.version == 2


async def test_kept_result_is_unreadable_once_the_person_is_erased(registry: Registry) -> None:
    key, command = _key(registry), CreatePerson(full_name="Borrada Después")
    person = await registry.people.create_person(command, actor=registry.advisor, idempotency=key)
    async with registry.database.transaction() as uow:
        await uow.conn.execute(
            "UPDATE subject_keys SET wrapped_key = NULL, destroyed_at = now() "
            "WHERE subject_id = %s",
            [person.id],
        )

    with pytest.raises(NotFound, match=r"person\.unknown"):
        await registry.people.create_person(command, actor=registry.advisor, idempotency=key)


async def test_person_is_found_by_address_however_it_is_typed(registry: Registry) -> None:
    person = await registry.new_person(email="buscada@correo.example", phone="+51987555666")

    found = registry.people.find_by_address
    assert await found(email=" BUSCADA@correo.example ") == person
    assert await found(phone="987-555-666") == person
    assert await found(email="nadie@correo.example") is None
    assert await found() is None


async def test_profile_holds_consents_and_enrolments(registry: Registry, clock: FixedClock) -> None:
    ana = await registry.new_person("Ana")
    starts = clock.now().date() + timedelta(days=10)
    async with registry.database.transaction() as uow:
        await uow.conn.execute("INSERT INTO areas VALUES ('PRG', 'Programación', 'Programming')")
        await uow.conn.execute(
            "INSERT INTO courses VALUES ('PRG-101', 'PRG', 'intro', 'es', 'Python', 'Python', '', "
            "'', '{}', '{}', '{}', 40, 10, 4, 14900, 'USD', true, true, %s)",
            [clock.now()],
        )
        cohort_id = new_id()
        await uow.conn.execute(
            "INSERT INTO cohorts VALUES (%s, 'PRG-101-1', 'PRG-101', %s, %s, %s, 'online', NULL, "
            "'{mon}', '19:00', '21:00', 10, 0, 14900, 'USD', 'open', %s)",
            [cohort_id, starts, starts, starts, clock.now()],
        )
        await uow.conn.execute(
            "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at, ended_at) "
            "VALUES (%s, %s, %s, 'confirmed', %s, NULL)",
            [new_id(), ana.id, cohort_id, clock.now()],
        )

    profile = await registry.people.profile(ana.id, actor=registry.advisor)

    assert (profile.person, profile.consents) == (ana, ())
    (enrolment,) = profile.enrolments
    assert (enrolment.course_code, enrolment.status, enrolment.starts_on) == (
        "PRG-101",
        "confirmed",
        starts,
    )
