"""Loads the demo institution: catalogue, staff, people to be, and what can be searched."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api.course_index import index_courses
from api.demo import store
from api.demo.cast import load_cast
from api.demo.catalogue import INSTITUTION, CatalogueFiles
from crm.actor import SERVICE_ACTOR, Role
from crm.business_hours import read_week
from crm.db import UnitOfWork
from crm.identity.models import CreateStaff
from crm.ids import StaffId
from crm.journal.audit import AuditEntry, performed
from crm.support.appointments.models import AdvisorHours
from retrieval.ingest.service import IngestProgress, IngestSummary

if TYPE_CHECKING:
    from api.bootstrap import Services

Report = Callable[[str, int, int], None]

_STAFF_PAGE = 200


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was added or changed; zeros when everything was there."""

    courses: int = 0
    programmes: int = 0
    cohorts: int = 0
    staff: int = 0
    people: int = 0
    documents: int = 0

    def __str__(self) -> str:
        """Return one line for people."""
        return words_of(self)


def words_of(summary: object) -> str:
    """Return the counts of a summary that are not zero, in words."""
    counts = {f.name: getattr(summary, f.name) for f in fields(summary)}  # type: ignore[arg-type]
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return said or "nothing new"


async def load_demo(services: "Services", *, report: Report) -> DemoSummary:
    """Load what is not there yet; what is there stays as it is, dates and edits included.

    Args:
        report: gets what is being loaded, how much of it is done and how much there is.
    """
    files = await asyncio.to_thread(
        CatalogueFiles, INSTITUTION, today=services.courses.today(), at=services.clock.now()
    )
    report("catalogue", 0, 1)
    async with services.database.transaction() as uow:
        courses, programmes, cohorts = await _load_catalogue(uow, files)
    staff = await _load_staff(services, files, report)
    people = await load_cast(services, report=report)
    documents = await _load_documents(services, report)
    return DemoSummary(courses, programmes, cohorts, staff, people, documents)


async def _load_catalogue(uow: UnitOfWork, files: CatalogueFiles) -> tuple[int, int, int]:
    conn = uow.conn
    areas = await store.insert_missing(conn, "areas", files.areas())
    courses = await store.insert_missing(conn, "courses", files.courses())
    before = files.prerequisites(courses)
    await store.insert_all(conn, "course_prerequisites", before)
    programmes = await store.insert_missing(conn, "programmes", files.programmes())
    await store.insert_all(conn, "programme_courses", files.programme_courses(programmes))
    cohorts = await store.insert_missing(conn, "cohorts", files.cohorts())
    scholarships = await store.insert_missing(conn, "scholarships", files.scholarships())
    discounts = await store.insert_missing(conn, "discounts", files.discounts())
    added = [*areas, *courses, *programmes, *cohorts, *scholarships, *discounts]
    if added:
        uow.audit(_entry(added))
    return len(courses), len(programmes), len(cohorts)


def _entry(codes: list[str]) -> AuditEntry:
    return performed(SERVICE_ACTOR, "demo.load", payload={"codes": codes})


async def _load_staff(services: "Services", files: CatalogueFiles, report: Report) -> int:
    page = await services.identity.list_staff(actor=SERVICE_ACTOR, limit=_STAFF_PAGE)
    there = {member.email for member in page.items}
    missing = [s for s in files.staff() if s["email"] not in there]
    for number, member in enumerate(missing):
        report("staff", number, len(missing))
        command = CreateStaff(
            email=member["email"],
            name=member["name"],
            role=Role(member["role"]),
            password=member["demo_password"],
            languages=tuple(member["languages"]),
            areas=tuple(member["areas"]),
        )
        created = await services.identity.create_staff(command, actor=SERVICE_ACTOR)
        if offered := member.get("hours"):
            await services.appointments.set_hours(_hours(created.id, offered), actor=SERVICE_ACTOR)
    return len(missing)


def _hours(staff_id: StaffId, offered: Mapping[str, Any]) -> AdvisorHours:
    return AdvisorHours(
        staff_id=staff_id,
        week=read_week(offered["week"]),
        slot=timedelta(minutes=offered["slot_minutes"]),
        modes=frozenset(offered["modes"]),
    )


async def _load_documents(services: "Services", report: Report) -> int:
    def tell(progress: IngestProgress) -> None:
        report("documents", progress.done, progress.total)

    knowledge = await services.ingest.ingest_folder(INSTITUTION / "knowledge", tell)
    courses = await index_courses(services, tell)
    return _changes(knowledge) + _changes(courses)


def _changes(summary: IngestSummary) -> int:
    return summary.added + summary.changed + summary.updated + summary.withdrawn
