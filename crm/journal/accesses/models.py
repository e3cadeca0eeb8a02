"""One reading of somebody's record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RecordAccess:
    """That somebody was shown a person's record.

    Args:
        agent: who showed it to them, if an agent did.
        staff_name: of the member of staff, as they are called today.
        audit_id: the record of the read in the journal.
    """

    at: datetime
    actor_kind: Literal["student", "staff", "service"]
    actor_role: str | None
    staff_id: UUID | None
    staff_name: str | None
    agent: str | None
    action: str
    audit_id: UUID
