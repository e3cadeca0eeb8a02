"""What a merge is, and what two records say together: pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from crm.errors import Conflict, RuleBroken
from crm.ids import PersonId, StaffId, new_id
from crm.people.contact.models import ContactPreferences
from crm.people.models import Consent, Person

UNDO_LIFE = timedelta(hours=24)
#: What the survivor takes over where nothing is known of it.
FILLED = ("email", "phone", "birth_date", "guardian_id")


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge that was made.

    Args:
        filled: fields that the survivor took over from the other record, by name.
        consents: lines that the merge appended to the survivor's record.
        undone_at: when it turned out to be wrong.
    """

    id: UUID
    survivor_id: PersonId
    merged_id: PersonId
    staff_id: StaffId | None
    merged_at: datetime
    undone_at: datetime | None
    filled: tuple[str, ...]
    consents: tuple[UUID, ...]

    @property
    def undoable_until(self) -> datetime:
        """Return from when on it cannot be undone any more."""
        return self.merged_at + UNDO_LIFE


def check_pair(survivor: Person, merged: Person) -> None:
    """Accept two records as of one person.

    Raises:
        RuleBroken("merge.self"), RuleBroken("merge.guardian"): one looks after the other.
        RuleBroken("person.inactive"): one was merged into somebody else, or erased.
    """
    if survivor.id == merged.id:
        raise RuleBroken("merge.self", "A record cannot be merged with itself.")
    if survivor.status != "active" or merged.status != "active":
        raise RuleBroken("person.inactive", "This person was merged or erased.")
    if merged.id == survivor.guardian_id or survivor.id == merged.guardian_id:
        raise RuleBroken("merge.guardian", "A guardian and their ward are two people.")


def fields_to_fill(survivor: Person, merged: Person) -> tuple[str, ...]:
    """Return what the survivor takes over from the other record."""
    return tuple(
        name
        for name in FILLED
        if getattr(survivor, name) is None and getattr(merged, name) is not None
    )


def strictest_consents(
    survivor: Sequence[Consent], merged: Sequence[Consent], *, person_id: PersonId, at: datetime
) -> tuple[Consent, ...]:
    """Return the lines that make the survivor's record as strict as the stricter of the two.

    Args:
        survivor: the last word on every channel and purpose; `merged` likewise.
    """
    known = {(c.channel, c.purpose): c for c in survivor}
    stricter = (
        c
        for c in merged
        if (own := known.get((c.channel, c.purpose))) is None or (own.granted and not c.granted)
    )
    return tuple(
        replace(c, id=new_id(), person_id=person_id, source="merge", recorded_at=at)
        for c in stricter
    )


def strictest_preferences(
    survivor: ContactPreferences, merged: ContactPreferences
) -> ContactPreferences:
    """Return preferences that refuse whatever one of the two refuses."""
    return ContactPreferences(
        survivor.preferred_channel or merged.preferred_channel,
        survivor.opted_out | merged.opted_out,
    )


def revoked_since(
    survivor: Sequence[Consent], restored: Sequence[Consent], merge: "Merge", *, at: datetime
) -> tuple[Consent, ...]:
    """Return what the survivor withdrew since the merge and the restored record still grants.

    Whichever of the two spoke, a withdrawal holds for both.
    """
    granted = {(c.channel, c.purpose) for c in restored if c.granted}
    return tuple(
        replace(c, id=new_id(), person_id=merge.merged_id, source="merge_undo", recorded_at=at)
        for c in survivor
        if not c.granted and c.recorded_at >= merge.merged_at and (c.channel, c.purpose) in granted
    )


def check_undo(merge: Merge, *, latest: UUID | None, survivor: Person, at: datetime) -> None:
    """Accept that a merge is undone: within a day, and the last one first.

    Args:
        latest: the survivor's latest merge that was not undone.

    Raises:
        RuleBroken("merge.too_late").
        Conflict("merge.not_last"): the survivor was merged with others since.
        RuleBroken("person.inactive"): the survivor was merged itself, or erased.
    """
    if at >= merge.undoable_until:
        raise RuleBroken("merge.too_late", "A merge can be undone for 24 hours.")
    if survivor.status != "active":
        raise RuleBroken("person.inactive", "This person was merged or erased.")
    if latest != merge.id:
        raise Conflict("merge.not_last", "Undo the later merges of this person first.")
