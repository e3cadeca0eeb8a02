"""Loads the people one can be in the demo, with their enrolments and tickets."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid5

import yaml

from api.demo import store
from crm.actor import SERVICE_ACTOR
from crm.ids import INSTITUTION, PersonId, SubjectId
from crm.journal.audit import AuditEntry, performed
from crm.journal.idempotency import IdempotencyKey
from crm.people.models import CreatePerson, GiveConsent
from crm.support.commands import OpenTicket
from crm.support.models import Ticket, TicketStatus

if TYPE_CHECKING:
    from api.bootstrap import Services

_FILE = Path(__file__).parent / "people.yaml"
_TEXT_VERSION = "2026-01"

Role = Mapping[str, Any]


async def load_cast(services: "Services", *, report: Callable[[str, int, int], None]) -> int:
    """Add the people who are not there yet; returns how many.

    Each part is taken up where an earlier run was cut off.
    """
    text = await asyncio.to_thread(_FILE.read_text, encoding="utf-8")
    roles: list[Role] = yaml.safe_load(text)
    ids: dict[str, PersonId] = {}
    added = 0
    for number, role in enumerate(roles):
        report("people", number, len(roles))
        found = await services.people.find_by_address(email=role["email"])
        ids[role["email"]] = found.id if found else await _create(services, role, ids)
        added += found is None
        await _consent(services, role, ids)
        await _enrol(services, role, ids[role["email"]])
        await _open_tickets(services, role, ids[role["email"]])
    return added


async def _create(services: "Services", role: Role, ids: Mapping[str, PersonId]) -> PersonId:
    command = CreatePerson(
        full_name=role["full_name"],
        email=role["email"],
        phone=role["phone"],
        locale=role["locale"],
        time_zone=role["time_zone"],
        birth_date=role["birth_date"],
        guardian_id=ids.get(role.get("guardian", "")),
    )
    return (await services.people.create_person(command, actor=SERVICE_ACTOR)).id


async def _consent(services: "Services", role: Role, ids: Mapping[str, PersonId]) -> None:
    for purpose, granted in (("service", True), ("marketing", role["marketing"])):
        command = GiveConsent(
            person_id=ids[role["email"]],
            channel="email",
            purpose="marketing" if purpose == "marketing" else "service",
            granted=granted,
            source="demo",
            text_version=_TEXT_VERSION,
            guardian_id=ids.get(role.get("guardian", "")),
        )
        key = IdempotencyKey("demo", f"consent/{command.person_id}/{purpose}", INSTITUTION)
        await services.people.record_consent(command, actor=SERVICE_ACTOR, idempotency=key)


async def _enrol(services: "Services", role: Role, person_id: PersonId) -> None:
    wanted = {e["cohort"]: e["status"] for e in role["enrolments"]}
    async with services.database.transaction() as uow:
        cohorts = await store.select_cohort_ids(uow.conn, list(wanted))
        now = uow.clock.now()
        rows = [
            {
                "id": uuid5(person_id, code),  # the same again, also for a seat given back
                "person_id": person_id,
                "cohort_id": cohorts[code],
                "status": status,
                "confirmed_at": now,
                "ended_at": now if status == "withdrawn" else None,
            }
            for code, status in wanted.items()
        ]
        if await store.insert_all(uow.conn, "enrolments", rows):
            uow.audit(_entry(person_id, sorted(wanted)))


def _entry(person_id: PersonId, cohorts: list[str]) -> AuditEntry:
    return performed(SERVICE_ACTOR, "demo.enrol", about=person_id, payload={"cohorts": cohorts})


async def _open_tickets(services: "Services", role: Role, person_id: PersonId) -> None:
    for number, wanted in enumerate(role["tickets"]):
        command = OpenTicket(
            subject_id=SubjectId(person_id),
            person_id=person_id,
            category=wanted["category"],
            title=wanted["title"],
            description=wanted["description"],
            effect_key=f"demo/{person_id}/{number}",
        )
        key = IdempotencyKey("demo", f"ticket/{person_id}/{number}", INSTITUTION)
        ticket = await services.support.open_ticket_for_staff(
            command, actor=SERVICE_ACTOR, idempotency=key
        )
        await _move(services, ticket, wanted["status"])


async def _move(services: "Services", ticket: Ticket, status: TicketStatus) -> None:
    """Move a ticket on that nobody has touched since it was opened."""
    async with services.database.read() as conn:
        untouched = await store.is_untouched(conn, ticket.id)
    if untouched and status != "open":
        await services.support.change_status(ticket.id, status, actor=SERVICE_ACTOR)
