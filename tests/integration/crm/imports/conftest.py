"""Imports on a real database."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest

from crm.actor import SERVICE_ACTOR
from crm.clock import FixedClock
from crm.db import Database, Pool
from crm.imports.courses.importer import CourseImporter
from crm.imports.leads.importer import LeadImporter
from crm.imports.models import DuplicatePolicy, Import, ImportKind, LineError, StartImport
from crm.imports.people.importer import PeopleImporter
from crm.imports.runner import ImportRunner
from crm.imports.service import ImportService
from crm.journal.vault import Vault
from tests.rows import Rows


@dataclass
class Desk(Rows):
    """Sends files and runs them."""

    database: Database
    service: ImportService
    runner: ImportRunner

    async def send(
        self,
        content: str | bytes,
        *,
        kind: ImportKind = "people",
        duplicates: DuplicatePolicy = "skip",
        dry_run: bool = False,
        columns: Mapping[str, str] | None = None,
    ) -> Import:
        """Send a file in small pieces."""
        raw = content.encode() if isinstance(content, str) else content
        command = StartImport(
            kind=kind,
            file_name="people.csv",
            duplicates=duplicates,
            dry_run=dry_run,
            columns=columns or {},
        )
        return await self.service.receive(command, _pieces(raw), actor=SERVICE_ACTOR)

    async def run(self, row: Import) -> Import:
        """Run what is due, and return this import as it ended."""
        while await self.runner.run_next():
            pass
        return await self.service.get(row.id, actor=SERVICE_ACTOR)

    async def errors(self, row: Import) -> dict[int, str]:
        """Return the codes of what is wrong, by line."""
        page = await self.service.errors(row.id, cursor=None, limit=200, actor=SERVICE_ACTOR)
        return {error.line: error.code for error in page.items}

    async def error_list(self, row: Import) -> tuple[LineError, ...]:
        """Return what is wrong."""
        page = await self.service.errors(row.id, cursor=None, limit=200, actor=SERVICE_ACTOR)
        return page.items


async def _pieces(raw: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(raw), 10_000):
        yield raw[start : start + 10_000]


@pytest.fixture(scope="module")
def database(pool: Pool) -> Database:
    from tests.integration.crm.conftest import NOW

    return Database(pool, FixedClock(NOW), Vault(bytes(32)))


@pytest.fixture(scope="module")
def desk(database: Database) -> Desk:
    people = PeopleImporter(region="PE", locale="es", time_zone="America/Lima")
    importers = {
        "people": people,
        "leads": LeadImporter(people),
        "courses": CourseImporter(),
    }
    return Desk(
        database,
        ImportService(database, importers, max_bytes=50_000_000),  # type: ignore[arg-type]
        ImportRunner(database, importers, time_zone="America/Lima"),  # type: ignore[arg-type]
    )
