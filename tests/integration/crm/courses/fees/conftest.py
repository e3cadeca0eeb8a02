"""People who ask for prices, discounts and scholarships, on a real database."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel, Role
from crm.courses.fees import store
from crm.courses.fees.acts import return_grant
from crm.courses.fees.models import FeePolicy, Quote, QuoteId
from crm.courses.fees.service import FeeService
from crm.ids import PersonId, StaffId, SubjectId, new_id
from crm.money import Money
from tests.rows import Rows

if TYPE_CHECKING:
    from conftest import Catalogue

    from crm.db import Database


class Bursary(Rows):
    """Makes people, discounts and scholarships, and quotes prices for them."""

    def __init__(self, catalogue: Catalogue, fees: FeeService, advisor: Actor) -> None:
        self.database = catalogue.database
        self.catalogue = catalogue
        self.fees = fees
        self.advisor = advisor
        self._count = 0

    def _code(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}-{self._count}"

    async def new_person(self) -> PersonId:
        """Add somebody."""
        person_id, now = PersonId(new_id()), self.database.clock.now()
        await self.execute(
            "INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at)"
            " VALUES (%s, 'Ana Quispe', 'es', 'America/Lima', 'active', %s, %s)",
            *(person_id, now, now),
        )
        return person_id

    def student(self, person_id: PersonId) -> Actor:
        """Return the person as an actor who has shown who they are."""
        return Actor(SubjectId(person_id), IdentityLevel.VERIFIED, person_id)

    async def new_cohort(self, minor: int = 100_000, currency: str = "USD") -> UUID:
        """Open a cohort at a price."""
        cohort = await self.catalogue.open_cohort(price=Money(minor, currency))
        return cohort.id

    async def new_discount(self, percent: int = 10, cap: int = 10**9, **columns: Any) -> str:
        """Add a discount."""
        return await self._insert("discounts", "DSC", percent, cap, columns)

    async def new_scholarship(self, percent: int = 50, cap: int = 10**9, **columns: Any) -> str:
        """Add a scholarship with a fund of 10,000.00 unless told otherwise."""
        texts = dict.fromkeys(
            ("eligibility_es", "eligibility_en", "deadline_es", "deadline_en"), "x"
        )
        return await self._insert(
            "scholarships", "BEC", percent, cap, {"fund_minor": 1_000_000, **texts, **columns}
        )

    async def _insert(
        self, table: str, prefix: str, percent: int, cap: int, columns: dict[str, Any]
    ) -> str:
        texts = dict.fromkeys(("name_es", "name_en", "description_es", "description_en"), "x")
        row = {
            **{"code": self._code(prefix), "percent": percent, "cap_minor": cap},
            **{"currency": "USD", **texts, **columns},
        }
        marks = ", ".join(["%s"] * len(row))
        await self.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", *row.values()
        )
        return str(row["code"])

    async def award(self, person_id: PersonId, code: str) -> UUID:
        """Give somebody a scholarship."""
        asked = await self.fees.applications.request_scholarship(
            code, person_id, "Quiero estudiar.", actor=self.student(person_id)
        )
        await self.fees.applications.award(asked.id, "Felicitaciones.", actor=self.advisor)
        return asked.id

    async def quote(self, person_id: PersonId, cohort_id: UUID, **asked: Any) -> Quote:
        """Quote a price for somebody."""
        asked = {"actor": self.student(person_id), **asked}
        return await self.fees.quote_fee(cohort_id=cohort_id, person_id=person_id, **asked)

    async def give_back(self, quote_id: QuoteId, share: Fraction) -> Quote:
        """Give a share of a grant back to its fund."""
        async with self.database.transaction() as uow:
            await return_grant(uow, quote_id, share, actor=SERVICE_ACTOR)
            quote = await store.select_quote(uow.conn, quote_id, owner=None)
        assert quote is not None
        return quote

    async def fund(self, code: str) -> tuple[int, int, int]:
        """Return what of a fund is reserved, granted and left."""
        page = await self.fees.terms.list_funds(limit=200, actor=SERVICE_ACTOR)
        (state,) = [f for f in page.items if f.terms.code == code]
        amounts = (state.reserved, state.granted, state.left)
        return tuple(amount.amount_minor for amount in amounts)  # type: ignore[return-value]


@pytest.fixture(scope="module")
async def advisor(database: Database) -> Actor:
    staff_id = StaffId(new_id())
    async with database.transaction() as uow:
        await uow.conn.execute(
            "INSERT INTO staff (id, email, name, role, password_hash, created_at) "
            "VALUES (%s, %s, 'Eva', 'advisor', 'x', %s)",
            [staff_id, f"{staff_id}@andino.example", database.clock.now()],
        )
    return Actor(SubjectId(staff_id), IdentityLevel.VERIFIED, staff_id=staff_id, role=Role.ADVISOR)


@pytest.fixture(scope="module")
def bursary(catalogue: Catalogue, advisor: Actor) -> Bursary:
    policy = FeePolicy(quote_life=timedelta(minutes=30), time_zone="America/Lima")
    return Bursary(catalogue, FeeService(catalogue.database, policy), advisor)
