"""A file of leads: the people are found or added, and their interests beside them."""

import pytest

from crm.actor import SERVICE_ACTOR
from crm.ids import new_id
from tests.integration.crm.imports.conftest import Desk

HEADER = "nombre,correo,curso,periodo,etapa,asesor,fuente\n"
LEADS = "SELECT count(*) FROM leads l JOIN people p ON p.id = l.person_id WHERE p.email LIKE %s"


@pytest.fixture(scope="module", autouse=True)
async def catalogue(desk: Desk) -> None:
    await desk.execute("INSERT INTO areas VALUES ('LEA', 'Leads', 'Leads')")
    await desk.execute(
        "INSERT INTO courses VALUES ('LEA-1', 'LEA', 'intro', 'es', 'Curso', 'Course', 'R', 'S', "
        "'{}', '{}', '{}', 20, 4, 5, 10000, 'PEN', true, true, now())"
    )
    await desk.execute(
        "INSERT INTO staff (id, email, name, role, password_hash, created_at) "
        "VALUES (%s, 'Eva@leads.pe', 'Eva', 'advisor', 'x', now())",
        new_id(),
    )


async def test_leads_come_with_their_people(desk: Desk) -> None:
    await desk.run(await desk.send("nombre,correo\nAna,ana@leads.pe\n"))
    row = await desk.run(
        await desk.send(
            HEADER
            + "Ana,ana@leads.pe,lea-1,2027-1,postulante,EVA@leads.pe,referral\n"
            + "Luz,luz@leads.pe,,,,,\n"
            + "Sol,sol@leads.pe,NO-1,,,,\n"
            + "Paz,paz@leads.pe,LEA-1,,ganado,,\n"
            + "Ian,ian@leads.pe,LEA-1,,,nadie@leads.pe,\n"
            + "Leo,leo@leads.pe,LEA-1,,perdido,,\n"
            + ",x@leads.pe,LEA-1,,,,\n",
            kind="leads",
        )
    )
    assert (row.created, row.failed, row.skipped) == (3, 4, 0)
    assert await desk.errors(row) == {
        4: "lead.interest_unknown",
        5: "lead.stage",
        6: "lead.assignee",
        8: "person.name",
    }
    assert await desk.count(LEADS, "%@leads.pe") == 3
    assert await desk.count(
        "SELECT count(*) FROM leads l JOIN staff s ON s.id = l.staff_id "
        "WHERE l.stage = 'applicant' AND l.course_code = 'LEA-1' AND l.term = '2027-1' "
        "AND l.source = 'referral' AND s.email = 'Eva@leads.pe'"
    )
    assert await desk.count("SELECT count(*) FROM leads WHERE lost_reason = 'other'") == 1
    assert await desk.count("SELECT count(*) FROM lead_stages WHERE from_stage IS NULL") == 3


async def test_open_lead_for_the_same_is_skipped_or_refused(desk: Desk) -> None:
    file = HEADER + "Mar,mar@dup.pe,LEA-1,,,,\nMar,mar@dup.pe,LEA-1,,,,\n"
    first = await desk.run(await desk.send(file, kind="leads"))
    assert (first.created, first.skipped) == (1, 1)
    again = await desk.run(await desk.send(file, kind="leads", duplicates="fail"))
    assert (again.created, again.failed) == (0, 2)
    assert await desk.count(LEADS, "%@dup.pe") == 1


async def test_lead_dry_run_counts_as_the_real_run_does(desk: Desk) -> None:
    lines = [f"Nora {i},n{i % 1200}@dry.pe,LEA-1,,,,\n" for i in range(2_400)]
    row = await desk.send(HEADER + "".join(lines), kind="leads", dry_run=True)
    tried = await desk.run(row)
    assert (tried.created, tried.skipped) == (1_200, 1_200)
    assert await desk.count(LEADS, "%@dry.pe") == 0
    done = await desk.run(await desk.service.run(row.id, actor=SERVICE_ACTOR))
    assert (done.created, done.skipped) == (1_200, 1_200)
    assert await desk.count(LEADS, "%@dry.pe") == 1_200
