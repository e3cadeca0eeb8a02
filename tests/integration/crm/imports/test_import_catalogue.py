"""A file of courses."""

import pytest

from tests.integration.crm.imports.conftest import Desk

HEADER = "codigo,area,titulo,resumen,horas,semanas,precio,moneda\n"


@pytest.fixture(scope="module", autouse=True)
async def areas(desk: Desk) -> None:
    await desk.execute("INSERT INTO areas VALUES ('PRG', 'Programación', 'Programming')")


async def test_courses_are_added_and_changed(desk: Desk) -> None:
    file = (
        HEADER
        + "PRG-1,PRG,Rust,Sistemas,40,10,149.00,USD\n"
        + "PRG-2,XYZ,Go,Redes,40,10,149.00,USD\n"
        + "PRG-3,PRG,Zig,Bajo nivel,40,10,gratis,USD\n"
    )
    row = await desk.run(await desk.send(file, kind="courses"))
    assert (row.created, row.failed) == (1, 2)
    assert await desk.errors(row) == {3: "area.unknown", 4: "course.price"}
    changed = file.replace("149.00", "99.00")
    again = await desk.run(await desk.send(changed, kind="courses", duplicates="update"))
    assert (again.created, again.updated) == (0, 1)
    assert await desk.count("SELECT price_minor AS count FROM courses WHERE code = 'PRG-1'") == 9900
    assert await desk.count("SELECT count(*) FROM outbox WHERE name = 'CourseChanged'") == 2
    skipped = await desk.run(await desk.send(file, kind="courses"))
    assert (skipped.created, skipped.updated, skipped.skipped) == (0, 0, 1)


async def test_course_dry_run_changes_nothing(desk: Desk) -> None:
    file = HEADER + "PRG-7,PRG,Elm,Web,40,10,149.00,USD\n"
    row = await desk.run(await desk.send(file, kind="courses", dry_run=True))
    assert row.created == 1
    assert await desk.count("SELECT count(*) FROM courses WHERE code = 'PRG-7'") == 0
