"""Use cases of duplicates: look for them, list them, say that two are two."""

from collections.abc import Sequence
from uuid import UUID

from crm.actor import SERVICE_ACTOR, Actor
from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.journal.audit import performed
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people import store as people
from crm.people.duplicates import store
from crm.people.duplicates.models import SHOWN, SUGGESTED, Candidate, Suggestion, compare
from crm.people.events import DuplicateDismissed, DuplicatesFound


class DuplicateService:
    """Finds records that may be of one person; merging them is somebody's decision."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def check_due(self, limit: int = 100) -> int:
        """Compare the new and the changed with the others; for the clock.

        Returns: how many people were looked at.
        """
        async with self._db.transaction() as uow:
            return await find_duplicates(uow, limit=limit)

    async def candidates(self, person_id: PersonId, *, actor: Actor) -> tuple[Candidate, ...]:
        """Return who may be the same person, the most alike first; audited as a read of all.

        Raises: Denied("auth.role"); NotFound("person.unknown").
        """
        require(actor, Area.PEOPLE)
        async with self._db.transaction() as uow:
            if await people.select_person(uow.conn, person_id, owner=None) is None:
                raise NotFound("person.unknown", "There is no such person.")
            dismissed = await store.select_dismissed(uow.conn, person_id)
            alike = await _compare(uow, [person_id], by_name=True, least=SHOWN)
            found = [c for _, c in alike if c.person.id not in dismissed]
            found.sort(key=lambda c: (-c.score, c.person.id))
            shown = (person_id, *(c.person.id for c in found))
            uow.audit(performed(actor, "person.duplicates", "READ", about=person_id, people=shown))
        return tuple(found)

    async def list_suggestions(
        self, *, cursor: str | None, limit: int, actor: Actor
    ) -> Page[Suggestion]:
        """Return pairs that nobody has decided on, the most alike first; the read is audited.

        Raises: Denied("auth.role"); RuleBroken("page.cursor").
        """
        require(actor, Area.PEOPLE)
        after = decode_cursor(cursor, int, UUID)
        async with self._db.audited_read() as uow:
            rows = await store.select_suggestions(uow.conn, after=after, limit=limit + 1)
            page = page_of(rows, limit, lambda s: encode_cursor(s.score, s.id))
            shown = tuple(p.id for s in page.items for p in (s.first, s.second))
            uow.audit(performed(actor, "duplicate.list", "READ", people=shown))
        return page

    async def dismiss(self, suggestion_id: UUID, *, actor: Actor) -> None:
        """Say that two records are of two people; they are not suggested again.

        Raises: Denied("auth.role"); NotFound("duplicate.unknown").
        """
        require(actor, Area.PEOPLE, write=True)
        async with self._db.transaction() as uow:
            found = await store.select_suggestion(uow.conn, suggestion_id)
            if found is None or found.status == "merged":
                raise NotFound("duplicate.unknown", "There is no such suggestion.")
            if found.status == "dismissed":
                return
            now = uow.clock.now()
            await store.close_suggestion(uow.conn, suggestion_id, staff_id=actor.staff_id, at=now)
            uow.publish(DuplicateDismissed(suggestion_id=suggestion_id))
            uow.audit(performed(actor, "duplicate.dismiss", about=found.first.id))


async def find_duplicates(uow: UnitOfWork, *, limit: int = 100) -> int:
    """Compare those who wait in the queue with everybody and keep the pairs that look alike.

    Returns: how many people were looked at; 0 when nobody waits.
    """
    waiting = await store.take_unchecked(uow.conn, limit=limit)
    if not waiting:
        return 0
    found = await _compare(uow, waiting, by_name=False, least=SUGGESTED)
    await store.replace_suggestions(uow.conn, waiting, found, at=uow.clock.now())
    if found:
        uow.publish(DuplicatesFound(pairs=len({frozenset((p, c.person.id)) for p, c in found})))
    uow.audit(
        performed(
            SERVICE_ACTOR,
            "duplicate.find",
            payload={"checked": len(waiting), "suggested": len(found)},
        )
    )
    return len(waiting)


async def _compare(
    uow: UnitOfWork, wanted: Sequence[PersonId], *, by_name: bool, least: int
) -> list[tuple[PersonId, Candidate]]:
    pairs = await store.select_candidates(uow.conn, wanted, by_name=by_name)
    compared = ((one.id, compare(one, other)) for one, other in pairs)
    return [(person, found) for person, found in compared if found.score >= least]
