"""A file of people: every good line is in, every bad one is reported."""

import asyncio
import os
from pathlib import Path

import pytest

from crm.actor import SERVICE_ACTOR, Actor, Role
from crm.errors import Denied, RuleBroken
from crm.ids import SubjectId, new_id
from crm.imports.models import Import, StartImport
from crm.imports.runner import ImportRunner
from crm.journal.service import JournalService
from tests.integration.crm.imports.conftest import Desk

HEADER = "nombre,correo,telefono,fecha de nacimiento\n"
PEOPLE = "SELECT count(*) FROM people WHERE email LIKE %s"


async def test_good_lines_are_in_and_bad_ones_are_reported(desk: Desk) -> None:
    row = await desk.send(
        HEADER
        + "Ana Pérez,ANA@uno.pe,+51 987 654 321,31/12/2001\n"
        + ",nadie@uno.pe,,\n"
        + "Eva Ruiz,eva@uno,,\n"
        + "Luz Paz,,12,\n"
        + "Sin Dirección,,,\n"
        + 'Sol "Ríos,sol@uno.pe,,\n'
        + "Ian Soto,ian@uno.pe,,31-31-2001\n"
        + "Leo Mar,leo@uno.pe,,2001-01-01\n"
    )
    row = await desk.run(row)
    assert (row.status, row.created, row.failed, row.lines_done) == ("done", 2, 6, 8)
    assert await desk.errors(row) == {
        3: "person.name",
        4: "person.email",
        5: "person.phone",
        6: "person.address",
        7: "import.line",
        8: "person.birth_date",
    }
    assert await desk.count(PEOPLE, "%@uno.pe") == 2
    assert await desk.count(
        "SELECT count(*) FROM people WHERE email = 'ana@uno.pe' AND phone = '+51987654321' "
        "AND birth_date = '2001-12-31' AND locale = 'es' AND time_zone = 'America/Lima'"
    )


async def test_known_people_are_skipped_changed_or_refused_as_asked(desk: Desk) -> None:
    file = HEADER + "Rosa Vega,rosa@dos.pe,,\nRosa Vega Díaz,rosa@dos.pe,+51 987 111 222,\n"
    first = await desk.run(await desk.send(file))
    assert (first.created, first.skipped) == (1, 1)
    second = await desk.run(await desk.send(file, duplicates="fail"))
    assert (second.created, second.failed) == (0, 2)
    assert set((await desk.errors(second)).values()) == {"person.duplicate"}
    third = await desk.run(await desk.send(file, duplicates="update"))
    assert (third.created, third.updated) == (0, 1)
    assert await desk.count(
        "SELECT count(*) FROM people WHERE email = 'rosa@dos.pe' AND phone = '+51987111222' "
        "AND full_name = 'Rosa Vega Díaz' AND version = 2"
    )
    fourth = await desk.run(await desk.send(file, duplicates="update"))
    assert (fourth.updated, fourth.skipped) == (0, 2)


async def test_line_that_fits_two_people_is_refused(desk: Desk) -> None:
    await desk.run(await desk.send(HEADER + "A B,a@tres.pe,,\nC D,,+51 987 222 333,\n"))
    row = await desk.run(
        await desk.send(HEADER + "A B,a@tres.pe,+51 987 222 333,\n", duplicates="update")
    )
    assert await desk.errors(row) == {2: "person.ambiguous"}


async def test_dry_run_says_what_would_happen_and_changes_nothing(desk: Desk) -> None:
    lines = [f"Nora {i},nora{i % 1500}@cuatro.pe,,\n" for i in range(1_600)]
    events = await desk.count("SELECT count(*) FROM outbox WHERE name = 'PersonCreated'")
    row = await desk.send(HEADER + "".join(lines) + "X,no\n", dry_run=True)
    tried = await desk.run(row)
    assert (tried.created, tried.skipped, tried.failed) == (1_500, 100, 1)
    assert await desk.count(PEOPLE, "%@cuatro.pe") == 0
    assert await desk.count("SELECT count(*) FROM outbox WHERE name = 'PersonCreated'") == events
    done = await desk.run(await desk.service.run(row.id, actor=SERVICE_ACTOR))
    assert (done.created, done.skipped, done.failed) == (1_500, 100, 1)
    assert await desk.count(PEOPLE, "%@cuatro.pe") == 1_500
    assert await desk.count("SELECT count(*) FROM import_parts WHERE import_id = %s", row.id) == 0
    assert await desk.count("SELECT count(*) FROM import_keys WHERE import_id = %s", row.id) == 0


async def test_every_batch_has_its_record_and_every_person_an_event(desk: Desk) -> None:
    before = await desk.count("SELECT count(*) FROM outbox WHERE name = 'PersonCreated'")
    lines = "".join(f"Omar {i},omar{i}@cinco.pe,,\n" for i in range(2_100))
    row = await desk.run(await desk.send(HEADER + lines))
    assert (
        await desk.count("SELECT count(*) FROM outbox WHERE name = 'PersonCreated'")
        == before + 2_100
    )
    assert (
        await desk.count(
            "SELECT count(*) FROM audit_events WHERE chain_id = %s AND action = 'import.people'",
            row.id,
        )
        == 3
    )
    assert (await JournalService(desk.database).verify_chains()).broken == ()


async def test_interrupted_import_is_finished_by_another_runner(desk: Desk) -> None:
    lines = "".join(f"Pía {i},pia{i}@seis.pe,,\n" for i in range(3_500))
    row = await desk.send(HEADER + lines)
    assert await desk.runner.run_next(is_over=lambda: True)
    half = await desk.service.get(row.id, actor=SERVICE_ACTOR)
    assert (half.status, half.lines_done) == ("running", 1_000)
    done = await desk.run(row)
    assert (done.status, done.created, done.skipped) == ("done", 3_500, 0)


async def test_two_runners_share_no_import(desk: Desk) -> None:
    lines = "".join(f"Gil {i},gil{i}@siete.pe,,\n" for i in range(2_000))
    row = await desk.send(HEADER + lines)
    other = ImportRunner(desk.database, desk.runner._importers, time_zone="America/Lima")
    await asyncio.gather(desk.runner.run_next(), other.run_next())
    done = await desk.run(row)
    assert (done.status, done.created, done.lines_done) == ("done", 2_000, 2_000)


async def test_runner_that_lost_its_import_writes_nothing_more(desk: Desk) -> None:
    lines = "".join(f"Hugo {i},hugo{i}@ocho.pe,,\n" for i in range(3_000))
    row = await desk.send(HEADER + lines)
    calls: list[int] = []

    def rob(seen: Import, done: int) -> None:
        calls.append(done)

    async def stop_after_first() -> None:
        await desk.runner.run_next(report=rob, is_over=lambda: True)
        await desk.service.cancel(row.id, actor=SERVICE_ACTOR)

    await stop_after_first()
    stopped = await desk.run(row)
    assert (stopped.status, stopped.created) == ("cancelled", 1_000)
    assert await desk.count(PEOPLE, "%@ocho.pe") == 1_000


async def test_file_without_a_needed_column_fails_with_its_reason(desk: Desk) -> None:
    row = await desk.run(await desk.send("apellido,correo\nPaz,a@nueve.pe\n"))
    assert (row.status, row.error_code) == ("failed", "import.columns")


async def test_too_large_a_file_leaves_nothing_behind(desk: Desk) -> None:
    imports = await desk.count("SELECT count(*) FROM imports")
    desk.service._max_bytes, before = 20_000, desk.service._max_bytes
    try:
        with pytest.raises(RuleBroken, match=r"import\.size"):
            await desk.send(HEADER + "x" * 50_000)
    finally:
        desk.service._max_bytes = before
    assert await desk.count("SELECT count(*) FROM imports") == imports


async def test_advisors_import_nothing(desk: Desk) -> None:
    advisor = Actor(SubjectId(new_id()), role=Role.ADVISOR)

    async def nothing():
        yield b"x"

    with pytest.raises(Denied):
        await desk.service.receive(
            StartImport(kind="people", file_name="x"), nothing(), actor=advisor
        )


@pytest.mark.slow
async def test_hundred_thousand_lines_take_no_more_memory_than_a_few(desk: Desk) -> None:
    """Three in a hundred are bad; every one of them is reported with its reason."""
    lines = [
        f"Student Number {i},s{i}@big.pe,,\n" if i % 100 > 2 else f",bad{i}@big.pe,,\n"
        for i in range(100_000)
    ]
    row = await desk.send(HEADER + "".join(lines))
    del lines
    seen: list[int] = []
    await desk.runner.run_next(report=lambda _row, _done: seen.append(_resident_bytes()))
    # After the first batches have warmed everything up, the size of the file costs nothing.
    assert max(seen) - seen[4] < 30_000_000
    row = await desk.service.get(row.id, actor=SERVICE_ACTOR)
    assert (row.created, row.failed) == (97_000, 3_000)
    assert await desk.count(PEOPLE, "s%@big.pe") == 97_000
    assert (
        await desk.count("SELECT count(*) FROM import_errors WHERE import_id = %s", row.id) == 3_000
    )


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
