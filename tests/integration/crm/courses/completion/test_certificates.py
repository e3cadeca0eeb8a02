"""Certificates are issued, checked by anybody, proven offline, revoked and issued anew."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from crm.courses.completion.certificates.signing import is_signed
from crm.errors import Denied, NotFound, RuleBroken
from crm.ids import new_id

if TYPE_CHECKING:
    from conftest import Classroom

    from crm.clock import FixedClock
    from crm.courses.completion.certificates.models import IssuedCertificate
    from crm.ids import PersonId


async def _own(classroom: Classroom, person_id: PersonId) -> IssuedCertificate:
    page = await classroom.certificates.list_certificates(actor=classroom.student(person_id))
    return page.items[0]


async def test_number_shows_initials_and_the_code_the_name(
    classroom: Classroom, today: date
) -> None:
    done, person = await classroom.pass_course(today, "Ana María Quispe")
    held = await _own(classroom, person)
    number = held.certificate.number
    assert done.certificate == held.certificate

    without = await classroom.certificates.check(number)
    wrong = await classroom.certificates.check(number, "0000-0000-0000")
    right = await classroom.certificates.check(number.lower(), held.code.lower().replace("-", " "))

    assert (without.holder, without.shown, without.code_matches) == ("A. M. Q.", "initials", None)
    assert (wrong.holder, wrong.shown, wrong.code_matches) == ("A. M. Q.", "initials", False)
    assert (right.holder, right.shown, right.code_matches) == ("Ana María Quispe", "name", True)
    assert without.proof is None
    assert wrong.proof is None
    assert right.certificate.status == "valid"
    assert right.certificate.hours == 40


async def test_proof_holds_offline_and_no_other_statement_does(
    classroom: Classroom, today: date
) -> None:
    _, person = await classroom.pass_course(today)
    held = await _own(classroom, person)
    proof = (await classroom.certificates.check(held.certificate.number, held.code)).proof
    assert proof
    statement = proof.statement.encode()
    assert is_signed(statement, proof.signature, proof.public_key)
    assert json.loads(statement)["holder"] == "Ana María Quispe"
    forged = statement.replace(b"Ana", b"Eva")
    assert not is_signed(forged, proof.signature, proof.public_key)


async def test_name_stays_as_it_was_until_the_certificate_is_issued_anew(
    classroom: Classroom, clock: FixedClock, today: date
) -> None:
    done, person = await classroom.pass_course(today)
    first = await _own(classroom, person)
    await classroom.execute(
        "UPDATE people SET full_name = 'Ana Quispe Torres' WHERE id = %s", person
    )
    assert (await _own(classroom, person)).holder == "Ana María Quispe"
    same = await classroom.certificates.reissue(done.enrolment_id, actor=classroom.advisor)
    assert same.number == first.certificate.number

    await classroom.certificates.revoke(same.number, "Nombre corregido.", actor=classroom.advisor)
    clock.advance(timedelta(minutes=1))
    anew = await classroom.certificates.reissue(done.enrolment_id, actor=classroom.advisor)

    assert anew.number != same.number
    assert (await classroom.certificates.check(same.number)).certificate.status == "revoked"
    assert (await _own(classroom, person)).holder == "Ana Quispe Torres"


async def test_revoking_twice_keeps_the_first_reason(classroom: Classroom, today: date) -> None:
    _, person = await classroom.pass_course(today)
    number = (await _own(classroom, person)).certificate.number
    revoke = classroom.certificates.revoke
    first = await revoke(number, "Plagio.", actor=classroom.advisor)
    again = await revoke(number, "Otro motivo.", actor=classroom.advisor)
    assert first == again
    assert first.revoked_for == "Plagio."
    with pytest.raises(RuleBroken, match=r"certificate\.reason"):
        await revoke(number, " ", actor=classroom.advisor)
    with pytest.raises(Denied, match=r"auth\.role"):
        await revoke(number, "Porque sí.", actor=classroom.student(person))
    with pytest.raises(NotFound, match=r"certificate\.unknown"):
        await revoke("2026-0000-0000", "No hay.", actor=classroom.advisor)


async def test_erased_holder_leaves_a_certificate_that_names_nobody(
    classroom: Classroom, today: date
) -> None:
    _, person = await classroom.pass_course(today)
    held = await _own(classroom, person)
    await classroom.execute(
        "UPDATE subject_keys SET wrapped_key = NULL, destroyed_at = %s WHERE subject_id = %s",
        *(classroom.database.clock.now(), person),
    )
    check = await classroom.certificates.check(held.certificate.number, held.code)
    assert (check.holder, check.shown, check.code_matches) == (None, "nothing", True)
    assert check.proof is None


async def test_course_without_certificate_gives_none(classroom: Classroom, today: date) -> None:
    await classroom.execute("UPDATE courses SET certificate = false WHERE code = 'DAT-110'")
    done, _ = await classroom.pass_course(today, course="DAT-110")
    assert done.certificate is None
    with pytest.raises(RuleBroken, match=r"certificate\.not_earned"):
        await classroom.certificates.reissue(done.enrolment_id, actor=classroom.advisor)
    with pytest.raises(NotFound, match=r"enrolment\.unknown"):
        await classroom.certificates.reissue(new_id(), actor=classroom.advisor)


async def test_staff_list_by_course_and_students_see_their_own(
    classroom: Classroom, today: date
) -> None:
    made = [
        (await classroom.pass_course(today, f"Eva {n}", "DAT-201")) for n in ("Uno", "Dos", "Tres")
    ]
    listed: list[str] = []
    cursor = None
    while True:
        page = await classroom.certificates.list_certificates(
            course_code="DAT-201", cursor=cursor, limit=2, actor=classroom.advisor
        )
        listed += [str(issued.holder) for issued in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(listed) == ["Eva Dos", "Eva Tres", "Eva Uno"]
    own = await classroom.certificates.list_certificates(
        person_id=made[0][1], actor=classroom.student(made[1][1])
    )
    assert [issued.holder for issued in own.items] == ["Eva Dos"]
