"""Use cases of exports: stream everything of a kind, and note who took it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from psycopg.rows import DictRow

from crm.actor import Actor
from crm.db import Connection, Database
from crm.exports import store
from crm.exports.cells import cell_of, price_of
from crm.identity.permissions import Area, require
from crm.ids import INSTITUTION
from crm.journal.audit import AuditEntry, performed

ExportKind = Literal["people", "leads", "courses"]
_STRETCH = 1_000


@dataclass(frozen=True, slots=True)
class Export:
    """What a kind's file holds.

    Args:
        columns: in their order; names that an import knows.
        select: returns rows after an `id`, in its order.
        area: whose readers may have it.
        person: the column that says whose record a row is, if it is anybody's.
    """

    columns: Sequence[str]
    select: Callable[..., Awaitable[Sequence[DictRow]]]
    area: Area
    person: str | None = None


async def _courses(conn: Connection, *, after: Any, limit: int) -> Sequence[DictRow]:
    rows = await store.select_courses(conn, after=after, limit=limit)
    return [row | {"price": price_of(row["price_minor"], row["currency"])} for row in rows]


EXPORTS: Mapping[ExportKind, Export] = {
    "people": Export(
        ("id", "full_name", "email", "phone", "locale", "time_zone", "birth_date", "created_at"),
        store.select_people,
        Area.PEOPLE,
        person="id",
    ),
    "leads": Export(
        (
            *("id", "full_name", "email", "phone", "locale", "source", "programme_code"),
            *("course_code", "term", "stage", "lost_reason", "owner_email", "created_at"),
            *("stage_since", "last_activity_at"),
        ),
        store.select_leads,
        Area.PIPELINE,
        person="person_id",
    ),
    "courses": Export(
        (
            *("code", "area", "title_es", "title_en", "summary_es", "summary_en", "outcomes_es"),
            *("outcomes_en", "keywords", "level", "language", "hours", "weeks", "hours_per_week"),
            *("price", "currency", "certificate", "active"),
        ),
        _courses,
        Area.CATALOGUE,
    ),
}


class ExportService:
    """Hands the institution its own data; admins only."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def check(self, kind: ExportKind, *, actor: Actor) -> None:
        """Let the actor have an export.

        Raises: Denied("auth.role").
        """
        require(actor, Area.IMPORTS)
        require(actor, EXPORTS[kind].area)

    async def stream(self, kind: ExportKind, *, actor: Actor) -> AsyncIterator[list[list[str]]]:
        """Yield the header, then all rows in stretches; each is noted before it is handed out.

        What is written meanwhile may or may not be in it.

        Raises: Denied("auth.role").
        """
        self.check(kind, actor=actor)
        export, last = EXPORTS[kind], None
        yield [list(export.columns)]
        while True:
            async with self._db.transaction() as uow:
                rows = await export.select(uow.conn, after=last, limit=_STRETCH)
                uow.audit(_entry(kind, export, rows, actor))
            if not rows:
                return
            last = rows[-1]["id"]
            yield [[cell_of(row[name]) for name in export.columns] for row in rows]


def _entry(kind: ExportKind, export: Export, rows: Sequence[DictRow], actor: Actor) -> AuditEntry:
    return performed(
        actor,
        f"export.{kind}",
        "READ",
        payload={"rows": len(rows)},
        about=INSTITUTION,
        people=tuple({row[export.person] for row in rows}) if export.person else (),
    )
