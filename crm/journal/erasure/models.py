"""What was erased: ids and counts, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm.errors import RuleBroken
from crm.ids import PersonId, StaffId
from crm.people.duplicates.models import fold_name
from crm.people.models import Person


@dataclass(frozen=True, slots=True)
class Erasure:
    """That a person was erased.

    Args:
        subjects: whose keys were destroyed: the person's, their visits', merged records'.
        rows: changed rows, by table, in this run.
    """

    person_id: PersonId
    subjects: tuple[UUID, ...]
    erased_at: datetime
    staff_id: StaffId | None
    rows: Mapping[str, int]


def check_confirmation(person: Person, typed: str) -> None:
    """Accept that somebody means this person: they typed the name as it stands in the record.

    Raises: RuleBroken("erasure.confirmation").
    """
    if fold_name(typed) != fold_name(person.full_name):
        raise RuleBroken("erasure.confirmation", "Type the person's full name to confirm.")
