"""Use cases of erasure: erase a person, list who was, erase them again after a restore."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from uuid import UUID

from crm.actor import SERVICE_ACTOR, Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.journal.audit import AuditEntry, performed
from crm.journal.erasure import store
from crm.journal.erasure.models import Erasure, check_confirmation
from crm.journal.erasure.tables import WIPED
from crm.journal.idempotency import IdempotencyKey
from crm.once import run_once
from crm.payments.invoices import store as invoices
from crm.people import store as people
from crm.people.events import PersonErased

_STRETCH = 500


class ErasureService:
    """Makes that the institution no longer knows who somebody was."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def erase(
        self,
        person_id: PersonId,
        *,
        confirmation: str,
        despite_debt: bool = False,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Erasure:
        """Erase a person, for good.

        Args:
            confirmation: the person's full name, typed by whoever means it.
            despite_debt: also if they owe money, which nobody can ask them for afterwards.

        Raises:
            Denied("auth.role").
            RuleBroken: `erasure.confirmation`; `erasure.debt`: they owe money; `erasure.merged`:
                erase whom they were merged into.
            NotFound("person.unknown").
        """
        require(actor, Area.ERASURE, write=True)

        async def act(uow: UnitOfWork) -> Erasure:
            await _check(uow, person_id, confirmation, despite_debt=despite_debt)
            return await erase_person(uow, person_id, actor=actor)

        return await run_once(
            self._db,
            idempotency,
            {"person_id": person_id, "confirmation": confirmation, "despite_debt": despite_debt},
            act,
            kind=Erasure,
        )

    async def list_all(self) -> AsyncIterator[Erasure]:
        """Yield the list of the erased, oldest first; ids only."""
        after: tuple[datetime, UUID] | None = None
        while True:
            async with self._db.read() as conn:
                rows = await store.select_erasures(conn, after=after, limit=_STRETCH)
            for erasure in rows:
                yield erasure
            if len(rows) < _STRETCH:
                return
            after = (rows[-1].erased_at, rows[-1].person_id)

    async def replay(self, erasures: Iterable[tuple[PersonId, tuple[UUID, ...]]]) -> int:
        """Erase again whoever a restored backup brought back.

        Args:
            erasures: of a list kept beside the backup: person and subjects.
        Returns: how many people were there to be erased.
        """
        count = 0
        for person_id, subjects in erasures:
            async with self._db.transaction() as uow:
                if await people.select_person(uow.conn, person_id, owner=None) is None:
                    await store.destroy_keys(uow.conn, (person_id, *subjects), at=uow.clock.now())
                    continue
                await erase_person(uow, person_id, known=subjects, actor=SERVICE_ACTOR)
                count += 1
        return count


async def _check(
    uow: UnitOfWork, person_id: PersonId, confirmation: str, *, despite_debt: bool
) -> None:
    person = await people.select_person(uow.conn, person_id, owner=None, for_update=True)
    if person is None:
        raise NotFound("person.unknown", "There is no such person.")
    if person.status == "merged":
        raise RuleBroken("erasure.merged", "Erase the person that this record was merged into.")
    check_confirmation(person, confirmation)
    # The person is locked: no invoice is raised meanwhile.
    if not despite_debt and await invoices.is_in_debt(uow.conn, person_id):
        raise RuleBroken(
            "erasure.debt",
            "This person owes money. Settle or cancel it, or say `despite_debt` to lose it.",
        )


async def erase_person(
    uow: UnitOfWork, person_id: PersonId, *, known: tuple[UUID, ...] = (), actor: Actor
) -> Erasure:
    """Destroy a person's keys and remove what is written of them; again changes nothing more.

    Records merged into the person go with them. What is left are ids, states, times and amounts:
    the books stay, and the audit's chains still fit together.

    Args:
        known: subjects that an earlier erasure found.
    """
    now = uow.clock.now()
    before = await store.select_erasure(uow.conn, person_id)
    subjects = (*known, *(before.subjects if before else ()))
    traces = await store.select_traces(uow.conn, person_id, known=subjects)
    rows = {w.table: await store.wipe(uow.conn, w, traces, at=now) for w in WIPED}
    await store.redact_people(uow.conn, traces.people, at=now)
    await store.destroy_keys(uow.conn, traces.subjects, at=now)
    erasure = Erasure(
        person_id=person_id,
        subjects=tuple(traces.subjects),
        erased_at=before.erased_at if before else now,
        staff_id=before.staff_id if before else actor.staff_id,
        rows={table: count for table, count in rows.items() if count},
    )
    if await store.insert_erasure(uow.conn, erasure):
        uow.publish(PersonErased(person_id=person_id))
    uow.audit(_record(erasure, actor))
    return erasure


def _record(erasure: Erasure, actor: Actor) -> AuditEntry:
    return performed(
        actor, "person.erase", payload={"person_id": erasure.person_id, "rows": dict(erasure.rows)}
    )
