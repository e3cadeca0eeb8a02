"""Use cases of merging: merge two records, look at a merge, undo it."""

from uuid import UUID

from crm.actor import Actor
from crm.db import Database
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.journal.idempotency import IdempotencyKey
from crm.once import run_once
from crm.people.merging import store
from crm.people.merging.acts import merge_people, undo_merge
from crm.people.merging.models import Merge


class MergeService:
    """Makes one person of two records, and two again; staff decide."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def merge(
        self,
        survivor_id: PersonId,
        merged_id: PersonId,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Merge:
        """Merge a record into another, as `merge_people`.

        Raises: Denied("auth.role"); `merge_people`'s.
        """
        require(actor, Area.PEOPLE, write=True)
        return await run_once(
            self._db,
            idempotency,
            {"survivor_id": survivor_id, "merged_id": merged_id},
            lambda uow: merge_people(
                uow, survivor_id=survivor_id, merged_id=merged_id, actor=actor
            ),
            kind=Merge,
            about=lambda merge: merge.survivor_id,
        )

    async def undo(
        self, merge_id: UUID, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Merge:
        """Undo a merge, as `undo_merge`.

        Raises: Denied("auth.role"); `undo_merge`'s.
        """
        require(actor, Area.PEOPLE, write=True)
        return await run_once(
            self._db,
            idempotency,
            {"merge_id": merge_id},
            lambda uow: undo_merge(uow, merge_id, actor=actor),
            kind=Merge,
            about=lambda merge: merge.survivor_id,
        )

    async def get_merge(self, merge_id: UUID, *, actor: Actor) -> Merge:
        """Return a merge; it names its people by ids only.

        Raises: Denied("auth.role"); NotFound("merge.unknown").
        """
        require(actor, Area.PEOPLE)
        async with self._db.read() as conn:
            merge = await store.select_merge(conn, merge_id)
        if merge is None:
            raise NotFound("merge.unknown", "There is no such merge.")
        return merge
