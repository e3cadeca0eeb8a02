"""What each kind of import brings: its fields, and how a batch of lines becomes rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.imports.models import DuplicatePolicy, Field, ImportId, Line, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some lines of one import.

    Args:
        is_trial: of a dry run: what is written will be rolled back.
        actor: who started the import.
    """

    import_id: ImportId
    lines: Sequence[Line]
    duplicates: DuplicatePolicy
    is_trial: bool
    actor: Actor
    today: date


class Importer(Protocol):
    """Turns lines into rows of one kind."""

    fields: Sequence[Field]

    async def write(self, uow: UnitOfWork, batch: Batch) -> Outcome:
        """Write what is good in a batch and say what is not; set-based, in one transaction."""
        ...
