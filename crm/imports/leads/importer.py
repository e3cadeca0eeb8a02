"""Imports leads: people are found or added, and each gets the interest that their line names.

Imported leads are given to whoever their line names, or to nobody; no clock runs for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from crm.db import UnitOfWork
from crm.errors import RuleBroken
from crm.ids import PersonId, new_id
from crm.imports.importer import Batch
from crm.imports.leads import store
from crm.imports.leads.rows import FIELDS, LeadRow, read_lead
from crm.imports.memory import met_before
from crm.imports.models import DuplicatePolicy, Field, Line, Outcome
from crm.imports.people.importer import PeopleImporter, WrittenPeople
from crm.imports.people.rows import PersonRow
from crm.pipeline.events import LeadCreated

_INTEREST = RuleBroken("lead.interest_unknown", "There is no such programme or course.")
_OWNER = RuleBroken("lead.assignee", "No advisor on duty has this address.")
_DUPLICATE = RuleBroken("lead.duplicate", "The person has an open lead for the same.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A line whose person and interest are readable."""

    person: PersonRow
    lead: LeadRow


class LeadImporter:
    """Reads lines about leads.

    Args:
        people: finds or adds the people.
    """

    fields: Sequence[Field] = FIELDS

    def __init__(self, people: PeopleImporter) -> None:
        self._people = people

    async def write(self, uow: UnitOfWork, batch: Batch) -> Outcome:
        """Write a batch; see `Importer`."""
        outcome = Outcome()
        asked = await self._read(uow, batch, outcome)
        written = await self._write_people(uow, asked, batch, outcome)
        await _write_leads(uow, asked, written, batch, outcome)
        return outcome

    async def _read(self, uow: UnitOfWork, batch: Batch, outcome: Outcome) -> dict[int, _Asked]:
        people = {row.number: row for row in self._people.read(batch, outcome)}
        leads = _read_leads([line for line in batch.lines if line.number in people], outcome)
        known = await store.select_codes(
            uow.conn,
            programmes=[row.programme_code for row in leads.values() if row.programme_code],
            courses=[row.course_code for row in leads.values() if row.course_code],
        )
        for number, row in list(leads.items()):
            if (code := row.programme_code or row.course_code) and code not in known:
                outcome.refuse(number, _INTEREST)
                del leads[number]
        return {number: _Asked(people[number], row) for number, row in leads.items()}

    async def _write_people(
        self, uow: UnitOfWork, asked: Mapping[int, _Asked], batch: Batch, outcome: Outcome
    ) -> WrittenPeople:
        """Find or add the people; that somebody is known is no reason to refuse their lead."""
        policy: DuplicatePolicy = "update" if batch.duplicates == "update" else "skip"
        aside = Outcome()
        written = await self._people.write_people(
            uow, [a.person for a in asked.values()], replace(batch, duplicates=policy), aside
        )
        outcome.errors.extend(aside.errors)
        outcome.met.extend(aside.met)
        return written


def _read_leads(lines: Sequence[Line], outcome: Outcome) -> dict[int, LeadRow]:
    leads: dict[int, LeadRow] = {}
    for line in lines:
        try:
            leads[line.number] = read_lead(line.cells)
        except RuleBroken as broken:
            outcome.refuse(line.number, broken, broken.code.removeprefix("lead."))
    return leads


async def _write_leads(
    uow: UnitOfWork,
    asked: Mapping[int, _Asked],
    written: WrittenPeople,
    batch: Batch,
    outcome: Outcome,
) -> None:
    owners = await store.select_staff(
        uow.conn, [a.lead.owner_email for a in asked.values() if a.lead.owner_email]
    )
    words = {
        number: f"lead:{a.person.email or a.person.phone}:{a.lead.thing}"
        for number, a in asked.items()
        if a.lead.is_open
    }
    met = await met_before(uow, batch, words, outcome)
    rows: dict[UUID, tuple[int, dict[str, object]]] = {}
    repeated: list[int] = []
    for number, person in written.ids.items():
        lead = asked[number].lead
        if lead.owner_email and lead.owner_email not in owners:
            outcome.refuse(number, _OWNER, "owner_email")
        elif number in met:
            repeated.append(number)
        elif person in written.rolled_back:
            outcome.created += 1  # of a person whom the dry run has not kept
        else:
            key = new_id()
            rows[key] = (number, _row(key, person, lead, owners))
    added = await store.insert_leads(
        uow.conn, [row for _, row in rows.values()], at=uow.clock.now()
    )
    for key in added:
        person = PersonId(UUID(str(rows[key][1]["person_id"])))
        uow.publish(LeadCreated(lead_id=key, person_id=person))
    outcome.created += len(added)
    repeated += [number for key, (number, _) in rows.items() if key not in added]
    _meet(repeated, batch, outcome)


def _row(key: UUID, person: UUID, lead: LeadRow, owners: Mapping[str, UUID]) -> dict[str, object]:
    owner = owners.get(lead.owner_email or "")
    return {
        "id": str(key),
        "person_id": str(person),
        "source": lead.source,
        "programme_code": lead.programme_code,
        "course_code": lead.course_code,
        "term": lead.term,
        "stage": lead.stage,
        "lost_reason": lead.lost_reason,
        "staff_id": str(owner) if owner else None,
    }


def _meet(repeated: Sequence[int], batch: Batch, outcome: Outcome) -> None:
    """Do with leads that are there already what the import says; their stage stays theirs."""
    if batch.duplicates != "fail":
        outcome.skipped += len(repeated)
        return
    for number in repeated:
        outcome.refuse(number, _DUPLICATE)
