"""Imports people: new ones are added, known ones skipped, changed or refused as asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from crm.db import UnitOfWork
from crm.errors import RuleBroken
from crm.ids import PersonId, new_id
from crm.imports.importer import Batch
from crm.imports.memory import met_before
from crm.imports.models import Field, Outcome
from crm.imports.people import store
from crm.imports.people.rows import FIELDS, Directory, Known, PersonRow, read_rows
from crm.people.events import PersonCreated, PersonUpdated

_DUPLICATE = RuleBroken("person.duplicate", "Somebody with this address is there already.")
_TAKEN = RuleBroken("person.taken", "Somebody else took this address during the import.")


@dataclass(frozen=True, slots=True)
class WrittenPeople:
    """Whom lines are about.

    Args:
        ids: line → person.
        rolled_back: people whom a dry run met in an earlier batch: they are not there.
    """

    ids: Mapping[int, UUID]
    rolled_back: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Lines by whom they are about, with the person's id.

    Args:
        rolled_back: people whom a dry run met in an earlier batch, and has not kept.
    """

    new: list[tuple[UUID, PersonRow]]
    known: list[tuple[UUID, PersonRow]]
    rolled_back: frozenset[UUID]


class PeopleImporter:
    """Reads lines about people.

    Args:
        region: of phone numbers without a country code.
        locale: of people whose line names none.
    """

    fields: Sequence[Field] = FIELDS

    def __init__(self, *, region: str, locale: str, time_zone: str) -> None:
        self._region = region
        self._locale = locale
        self._time_zone = time_zone

    async def write(self, uow: UnitOfWork, batch: Batch) -> Outcome:
        """Write a batch; see `Importer`."""
        outcome = Outcome()
        await self.write_people(uow, self.read(batch, outcome), batch, outcome)
        return outcome

    def read(self, batch: Batch, outcome: Outcome) -> list[PersonRow]:
        """Return the lines that say who they are about; the others are noted in the outcome."""
        return read_rows(batch.lines, outcome, region=self._region, today=batch.today)

    async def write_people(
        self, uow: UnitOfWork, rows: Sequence[PersonRow], batch: Batch, outcome: Outcome
    ) -> WrittenPeople:
        """Write people and return whom each line is about; lines that are refused have nobody."""
        found = await _sort(uow, rows, batch, outcome)
        absent = await self._add(uow, found.new, outcome)
        await _meet(uow, found, batch, outcome)
        refused = {error.line for error in outcome.errors}
        ids = {
            row.number: person
            for person, row in (*found.new, *found.known)
            if row.number not in refused and person not in absent
        }
        return WrittenPeople(ids, found.rolled_back)

    async def _add(
        self, uow: UnitOfWork, new: list[tuple[UUID, PersonRow]], outcome: Outcome
    ) -> set[UUID]:
        """Add people; returns who could not be added."""
        if not new:
            return set()
        at = uow.clock.now()
        added = await store.insert_people(
            uow.conn, new, locale=self._locale, time_zone=self._time_zone, at=at
        )
        for person, row in new:
            if person in added:
                uow.publish(PersonCreated(person_id=PersonId(person)))
            else:
                outcome.refuse(row.number, _TAKEN)
        outcome.created += len(added)
        return {person for person, _ in new} - added


async def _sort(
    uow: UnitOfWork, rows: Sequence[PersonRow], batch: Batch, outcome: Outcome
) -> Sorted:
    addresses = {a: a for row in rows for a in (row.email, row.phone) if a}
    met = await met_before(uow, batch, addresses, outcome)
    earlier = [Known(UUID(bytes=digest[:16]), a, a) for a, digest in met.items()]
    known = await store.select_known(
        uow.conn,
        emails=[r.email for r in rows if r.email],
        phones=[r.phone for r in rows if r.phone],
    )
    directory = Directory([*known, *earlier])
    found = Sorted([], [], frozenset(each.id for each in earlier))
    for row in rows:
        try:
            person = directory.find(row)
        except RuleBroken as broken:
            outcome.refuse(row.number, broken)
            continue
        whose = person or new_id()
        (found.known if person else found.new).append((whose, row))
        directory.add(Known(whose, row.email, row.phone))
    return found


async def _meet(uow: UnitOfWork, found: Sorted, batch: Batch, outcome: Outcome) -> None:
    """Do with lines about known people what the import says."""
    if batch.duplicates == "fail":
        for _, row in found.known:
            outcome.refuse(row.number, _DUPLICATE)
        return
    if batch.duplicates == "skip" or not found.known:
        outcome.skipped += len(found.known)
        return
    # The last line about a person is the one that counts.
    last = dict(found.known)
    versions = await store.update_people(uow.conn, list(last.items()), at=uow.clock.now())
    for person, version in versions.items():
        uow.publish(PersonUpdated(person_id=PersonId(person), version=version))
    changed = len(versions) + len(found.rolled_back & last.keys())
    outcome.updated += changed
    outcome.skipped += len(found.known) - changed
