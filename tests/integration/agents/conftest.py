"""The real services, with bursts that end at once, and what the engine's turns tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.bootstrap import Services, open_services
from crm.actor import Actor, IdentityLevel, Role
from crm.ids import StaffId, SubjectId, new_id
from tests.scripted import RecordedEvents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.settings import Settings


@pytest.fixture(scope="module")
async def services(settings: Settings) -> AsyncIterator[Services]:
    at_once = settings.model_copy(update={"turn_settle_ms": 0, "turn_settle_max_ms": 0})
    async with open_services(at_once) as opened:
        yield opened


@pytest.fixture
def events() -> RecordedEvents:
    return RecordedEvents()


@pytest.fixture
async def advisor(services: Services) -> Actor:
    async with services.database.transaction() as uow:
        staff_id = StaffId(new_id())
        await uow.conn.execute(
            "INSERT INTO staff (id, email, name, role, password_hash, created_at) "
            "VALUES (%s, %s, 'Lucía', 'advisor', 'x', now())",
            [staff_id, f"{staff_id}@andino.example"],
        )
    return Actor(
        subject_id=SubjectId(staff_id),
        level=IdentityLevel.VERIFIED,
        staff_id=staff_id,
        role=Role.ADVISOR,
    )
