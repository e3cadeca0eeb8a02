"""The demo institution loads once, and a second time changes nothing."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields as dataclass_fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from api.bootstrap import Services, open_services
from api.demo.catalogue import INSTITUTION, first_class
from api.demo.loader import DemoSummary, load_demo
from api.settings import Settings
from crm.actor import SERVICE_ACTOR
from crm.clock import FixedClock
from crm.courses.models import WEEKDAYS, CourseContent
from crm.money import Money
from crm.support.commands import TicketFilters

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)

#: Everything a load writes, each table as one number that changes with any of its rows.
_TABLES = """
    areas courses course_prerequisites programmes programme_courses cohorts scholarships discounts
    staff people consents enrolments tickets ticket_events outbox audit_events search_documents
    search_chunks
"""


@asynccontextmanager
async def _open(database_url: str, redis_url: str, clock: FixedClock) -> AsyncIterator[Services]:
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        master_key=base64.b64encode(bytes(32)).decode(),
        embedder="none",
    )
    async with open_services(settings, clock=clock) as services:
        yield services


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
async def services(database_url: str, redis_url: str, clock: FixedClock) -> AsyncIterator[Services]:
    async with _open(database_url, redis_url, clock) as services:
        yield services


@pytest.fixture(scope="module")
async def first(services: Services) -> DemoSummary:
    return await load_demo(services, report=_silent)


def _silent(label: str, done: int, total: int) -> None:
    assert done <= total, label


def _read(name: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = yaml.safe_load((INSTITUTION / f"{name}.yaml").read_text())
    return rows


async def _state(services: Services) -> dict[str, tuple[int, str]]:
    state = {}
    async with services.database.read() as conn:
        for table in _TABLES.split():
            rows = await conn.execute(
                "SELECT count(*) AS n, coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS sum "
                f"FROM {table} t"
            )
            row = await rows.fetchone()
            assert row is not None
            state[table] = (row["n"], row["sum"])
    return state


async def test_everything_in_the_files_is_loaded(services: Services, first: DemoSummary) -> None:
    knowledge = [p for p in (INSTITUTION / "knowledge").rglob("*") if p.suffix in (".md", ".html")]
    courses = _read("courses")
    assert first.courses == len(courses)
    assert first.programmes == len(_read("programmes"))
    assert first.cohorts == len(_read("cohorts"))
    assert first.staff == len(_read("staff"))
    assert first.documents == len(knowledge) + 2 * len(courses)
    assert len(await services.courses.list_scholarships()) == len(_read("scholarships"))
    assert len(await services.courses.list_discounts()) == len(_read("discounts"))


async def test_second_load_a_month_later_changes_nothing(
    services: Services, first: DemoSummary, clock: FixedClock
) -> None:
    before = await _state(services)
    clock.advance(timedelta(days=30))
    again = await load_demo(services, report=_silent)
    clock.advance(-timedelta(days=30))
    assert again == DemoSummary()
    assert str(again) == "nothing new"
    assert await _state(services) == before


async def test_second_load_keeps_what_staff_changed(services: Services, first: DemoSummary) -> None:
    course = (await services.courses.get_course("MKT-101")).course
    written = {f.name: getattr(course, f.name) for f in dataclass_fields(CourseContent)}
    dearer = CourseContent(**{**written, "price": Money(99_999, "USD")})
    await services.courses.upsert_course(dearer, actor=SERVICE_ACTOR)
    await load_demo(services, report=_silent)
    assert (await services.courses.get_course("MKT-101")).course.price == Money(99_999, "USD")


async def test_cohorts_start_on_their_first_day_of_class_on_or_after_the_offset(
    services: Services, first: DemoSummary
) -> None:
    wanted = {c["code"]: c for c in _read("cohorts")}
    today = services.courses.today()
    page = await services.courses.list_cohorts(limit=500)
    assert len(page.items) == len(wanted)
    for cohort in page.items:
        offset = timedelta(days=int(str(wanted[cohort.code]["start_offset_days"])))
        assert timedelta() <= cohort.starts_on - (today + offset) < timedelta(days=14)
        assert WEEKDAYS[cohort.starts_on.weekday()] in cohort.schedule.days
        assert WEEKDAYS[cohort.ends_on.weekday()] in cohort.schedule.days


@pytest.mark.parametrize(
    ("day", "days", "starts"),
    [
        (date(2026, 12, 7), ["mon", "wed"], date(2026, 12, 7)),
        (date(2026, 12, 8), ["mon", "wed"], date(2026, 12, 14)),
        (date(2026, 12, 8), ["sat"], date(2026, 12, 19)),
    ],
)
def test_first_class_is_in_the_week_of_the_next_monday(
    day: date, days: list[str], starts: date
) -> None:
    assert first_class(day, days) == starts


async def test_staff_can_log_in_with_their_demo_passwords(
    services: Services, first: DemoSummary
) -> None:
    for member in _read("staff"):
        login = await services.identity.login(str(member["email"]), str(member["demo_password"]))
        assert login.staff.role == member["role"]


async def test_people_one_can_be_are_there_with_courses_and_tickets(
    services: Services, first: DemoSummary
) -> None:
    ana = await services.people.find_by_address(email="ana.perez@correo.example")
    valeria = await services.people.find_by_address(email="valeria.lagos@correo.example")
    carmen = await services.people.find_by_address(email="carmen.soto@correo.example")
    assert ana is not None
    assert valeria is not None
    assert carmen is not None

    profile = await services.people.profile(ana.id, actor=SERVICE_ACTOR)
    tickets = await services.support.list_tickets(
        TicketFilters(person_id=ana.id), actor=SERVICE_ACTOR
    )

    assert {e.course_code for e in profile.enrolments} == {"DAT-101", "PRG-101"}
    assert sorted(t.status for t in tickets.items) == ["open", "resolved"]
    assert valeria.guardian_id == carmen.id
    assert valeria.is_minor(NOW)


async def test_demo_enrolments_fit_the_seats(services: Services, first: DemoSummary) -> None:
    page = await services.courses.list_cohorts(limit=500)
    for cohort in page.items:
        assert cohort.seats_taken + cohort.blocked_seats <= cohort.seats
    full = await services.courses.get_cohort("DAT-130-B")
    assert full.seats_left == 0


async def test_course_is_found_by_its_words_and_leads_to_its_page(
    services: Services, first: DemoSummary
) -> None:
    found = await services.knowledge.search(
        "tablas dinámicas",
        kind="course",
        audiences=frozenset({"public"}),
        on=services.courses.today(),
        query_language="es",
    )
    assert found.hits[0].slug == "DAT-101"
    assert found.hits[0].url == "/courses/DAT-101"


def test_files_name_only_cohorts_and_guardians_that_exist() -> None:
    path = Path(INSTITUTION).parent / "people.yaml"
    people = yaml.safe_load(path.read_text(encoding="utf-8"))
    cohorts = {c["code"] for c in _read("cohorts")}
    seen: set[str] = set()
    for person in people:
        assert {e["cohort"] for e in person["enrolments"]} <= cohorts
        assert person.get("guardian") in {None, *seen}
        assert person["email"].endswith("@correo.example")
        seen.add(person["email"])
