"""Merge two records and undo it, within somebody's transaction."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.ids import PersonId, new_id
from crm.journal.audit import AuditEntry, performed
from crm.people import store as people
from crm.people.contact import store as contact
from crm.people.contact.models import ContactPreferences
from crm.people.duplicates import store as duplicates
from crm.people.events import ConsentRecorded, MergeUndone, PeopleMerged
from crm.people.merging import models, store
from crm.people.merging.models import Merge
from crm.people.merging.tables import MOVED, Moved
from crm.people.models import Consent, Person


async def merge_people(
    uow: UnitOfWork, *, survivor_id: PersonId, merged_id: PersonId, actor: Actor
) -> Merge:
    """Make one person of two records; merging the same two again changes nothing more.

    Everything that names the merged record goes over to the survivor, but what a unique
    constraint allows the survivor once only. Consents and opt-outs become as strict as the
    stricter record's. Both subjects' keys stay.

    Raises:
        RuleBroken: `merge.self`, `merge.guardian`, `person.inactive`.
        NotFound("person.unknown").
    """
    await store.lock_people(uow.conn, (survivor_id, merged_id))
    survivor, merged = await _find(uow, survivor_id), await _find(uow, merged_id)
    if merged.status == "merged" and merged.merged_into == survivor.id:
        return await _merge_of(uow, merged.id)
    models.check_pair(survivor, merged)
    consents = await _strictest(uow, survivor, merged)
    merge = Merge(
        id=new_id(),
        survivor_id=survivor_id,
        merged_id=merged_id,
        staff_id=actor.staff_id,
        merged_at=uow.clock.now(),
        undone_at=None,
        filled=models.fields_to_fill(survivor, merged),
        consents=tuple(c.id for c in consents),
    )
    await store.insert_merge(uow.conn, merge, before=await _merge_preferences(uow, merge))
    await store.mark_merged(uow.conn, merge)
    await store.fill_survivor(uow.conn, merge)
    await _append(uow, consents)
    moved = await _move(uow, merge)
    await _settle_suggestion(uow, merge)
    uow.publish(PeopleMerged(merge_id=merge.id, survivor_id=survivor_id, merged_id=merged_id))
    uow.audit(_record(actor, "person.merge", merge, moved=moved))
    return merge


async def undo_merge(uow: UnitOfWork, merge_id: UUID, *, actor: Actor) -> Merge:
    """Make two records of one person again, with exactly the rows that each had.

    What was written since stays with the survivor, but a consent withdrawn since is withdrawn
    for both. Undoing twice changes nothing more.

    Raises:
        RuleBroken: `merge.too_late`, `person.inactive`.
        Conflict: `merge.not_last`, `merge.address_taken`, `merge.changed`.
        NotFound("merge.unknown").
    """
    merge = await _find_merge(uow, merge_id)
    await store.lock_people(uow.conn, (merge.survivor_id, merge.merged_id))
    merge = await _find_merge(uow, merge_id)
    if merge.undone_at is not None:
        return merge
    now = uow.clock.now()
    survivor = await _find(uow, merge.survivor_id)
    latest = await store.select_latest_merge(uow.conn, merge.survivor_id)
    models.check_undo(merge, latest=latest, survivor=survivor, at=now)
    returned = {_name(m): await store.return_rows(uow.conn, m, merge) for m in MOVED}
    await store.empty_survivor(uow.conn, merge, at=now)
    await store.mark_active(uow.conn, merge, at=now)
    await store.restore_preferences(uow.conn, merge)
    await _return_consents(uow, merge)
    await store.mark_undone(uow.conn, merge, at=now)
    pair = (merge.survivor_id, merge.merged_id)
    await duplicates.move_suggestion(uow.conn, pair, "dismissed", at=now)
    uow.publish(
        MergeUndone(merge_id=merge.id, survivor_id=merge.survivor_id, merged_id=merge.merged_id)
    )
    uow.audit(_record(actor, "person.undo_merge", merge, moved=returned))
    return await _find_merge(uow, merge_id)


async def _find(uow: UnitOfWork, person_id: PersonId) -> Person:
    person = await people.select_person(uow.conn, person_id, owner=None)
    if person is None:
        raise NotFound("person.unknown", "There is no such person.")
    return person


async def _find_merge(uow: UnitOfWork, merge_id: UUID) -> Merge:
    merge = await store.select_merge(uow.conn, merge_id)
    if merge is None:
        raise NotFound("merge.unknown", "There is no such merge.")
    return merge


async def _merge_of(uow: UnitOfWork, merged_id: PersonId) -> Merge:
    merge = await store.select_open_merge(uow.conn, merged_id)
    if merge is None:
        raise NotFound("merge.unknown", "There is no such merge.")
    return merge


async def _strictest(uow: UnitOfWork, survivor: Person, merged: Person) -> tuple[Consent, ...]:
    return models.strictest_consents(
        await people.select_current_consents(uow.conn, survivor.id),
        await people.select_current_consents(uow.conn, merged.id),
        person_id=survivor.id,
        at=uow.clock.now(),
    )


async def _append(uow: UnitOfWork, consents: Iterable[Consent]) -> None:
    for consent in consents:
        await people.insert_consent(uow.conn, consent)
        uow.publish(
            ConsentRecorded(
                person_id=consent.person_id,
                channel=consent.channel,
                purpose=consent.purpose,
                granted=consent.granted,
            )
        )


async def _return_consents(uow: UnitOfWork, merge: Merge) -> None:
    await store.delete_consents(uow.conn, merge.consents)
    withdrawn = models.revoked_since(
        await people.select_current_consents(uow.conn, merge.survivor_id),
        await people.select_current_consents(uow.conn, merge.merged_id),
        merge,
        at=uow.clock.now(),
    )
    await _append(uow, withdrawn)


async def _merge_preferences(uow: UnitOfWork, merge: Merge) -> Mapping[str, object] | None:
    """Set the survivor's preferences and return those of before, if anything changes."""
    found = await contact.select_preferences(uow.conn, (merge.survivor_id, merge.merged_id))
    if merge.merged_id not in found:
        return None
    before = found.get(merge.survivor_id, ContactPreferences())
    after = models.strictest_preferences(before, found[merge.merged_id])
    await contact.upsert_preferences(uow.conn, merge.survivor_id, after, at=merge.merged_at)
    return {
        "had": merge.survivor_id in found,
        "preferred_channel": before.preferred_channel,
        "opted_out": sorted(before.opted_out),
    }


async def _move(uow: UnitOfWork, merge: Merge) -> dict[str, int]:
    counts = {
        _name(moved): await store.move_rows(
            uow.conn, moved, merge, survivor=merge.survivor_id, merged=merge.merged_id
        )
        for moved in MOVED
    }
    return {name: count for name, count in counts.items() if count}


async def _settle_suggestion(uow: UnitOfWork, merge: Merge) -> None:
    pair = (merge.survivor_id, merge.merged_id)
    await duplicates.move_suggestion(uow.conn, pair, "merged", at=merge.merged_at)
    await duplicates.drop_open_suggestions(uow.conn, merge.merged_id)


def _name(moved: Moved) -> str:
    return f"{moved.table}.{moved.column}"


def _record(actor: Actor, action: str, merge: Merge, *, moved: Mapping[str, int]) -> AuditEntry:
    return performed(
        actor,
        action,
        about=merge.survivor_id,
        payload={"merge_id": merge.id, "merged_id": merge.merged_id, "moved": dict(moved)},
    )
