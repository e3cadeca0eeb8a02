"""Use cases of the terms of discounts and scholarships: read and, as admin, change them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from crm.actor import Actor
from crm.courses.fees import rules
from crm.courses.fees.models import DiscountRule, DiscountState, DiscountTerms, FundState
from crm.courses.fees.terms import store
from crm.db import Database, UnitOfWork
from crm.errors import NotFound
from crm.identity.permissions import Area, require
from crm.ids import INSTITUTION
from crm.journal.audit import performed
from crm.journal.idempotency import IdempotencyKey
from crm.money import Money
from crm.once import do_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountChange:
    """Change a discount; what is None stays as it is."""

    active: bool | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    usage_limit: int | None = None
    rule: DiscountRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScholarshipChange:
    """Change a scholarship; what is None stays as it is."""

    active: bool | None = None
    automatic: bool | None = None
    combines: bool | None = None
    fund: Money | None = None


class TermsService:
    """What discounts and scholarships there are, and on which terms."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def list_discounts(
        self, *, cursor: str | None = None, limit: int = 50, actor: Actor
    ) -> Page[DiscountState]:
        """Return the discounts by code with how often each is used; staff only.

        Raises: Denied("auth.role"); RuleBroken("page.cursor").
        """
        require(actor, Area.ENROLMENTS)
        async with self._db.read() as conn:
            rows = await store.select_discounts(conn, after=_after(cursor), limit=limit + 1)
        return page_of(rows, limit, lambda d: encode_cursor(d.terms.code))

    async def list_funds(
        self, *, cursor: str | None = None, limit: int = 50, actor: Actor
    ) -> Page[FundState]:
        """Return the scholarships by code with how their funds stand; staff only.

        Raises: Denied("auth.role"); RuleBroken("page.cursor").
        """
        require(actor, Area.ENROLMENTS)
        async with self._db.read() as conn:
            rows = await store.select_funds(conn, after=_after(cursor), limit=limit + 1)
        return page_of(rows, limit, lambda f: encode_cursor(f.terms.code))

    async def change_discount(
        self,
        code: str,
        change: DiscountChange,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> DiscountTerms:
        """Change when, how often and by whom a discount may be used; admins only.

        Raises:
            Denied("auth.role"); NotFound("discount.unknown").
            RuleBroken("discount.dates"): it would end before it starts.
        """
        columns = _given(change, "active valid_from valid_until usage_limit rule")

        async def work(uow: UnitOfWork) -> DiscountTerms:
            before = await store.select_discount(uow.conn, code, lock=True)
            if before is None:
                raise NotFound("discount.unknown", "There is no such discount.")
            rules.check_dates(
                change.valid_from or before.valid_from, change.valid_until or before.valid_until
            )
            if columns:
                await store.update_discount(uow.conn, code, columns)
            return await store.select_discount(uow.conn, code, lock=False) or before

        arguments = {"discount": code, **columns}
        return await self._change(
            "discount.change", arguments, work, DiscountTerms, actor, idempotency
        )

    async def change_scholarship(
        self,
        code: str,
        change: ScholarshipChange,
        *,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> FundState:
        """Change a scholarship's fund and terms; what was promised from it stays; admins only.

        Raises:
            Denied("auth.role"); NotFound("scholarship.unknown").
            RuleBroken("scholarship.fund" | "money.currency"): less than is promised, or in another
                currency.
        """
        columns = _given(change, "active automatic combines")

        async def work(uow: UnitOfWork) -> FundState:
            await store.lock_scholarship(uow.conn, code)
            before = await store.select_fund(uow.conn, code)
            if before is None:
                raise NotFound("scholarship.unknown", "There is no such scholarship.")
            if change.fund is not None:
                rules.check_new_fund(before, change.fund)
                columns["fund_minor"] = change.fund.amount_minor
            if columns:
                await store.update_scholarship(uow.conn, code, columns)
            return await store.select_fund(uow.conn, code) or before

        arguments = {"scholarship": code, **columns, "fund": change.fund}
        return await self._change(
            "scholarship.change", arguments, work, FundState, actor, idempotency
        )

    async def _change(
        self,
        action: str,
        arguments: Mapping[str, object],
        work: Callable[[UnitOfWork], Awaitable[T]],
        kind: type[T],
        actor: Actor,
        idempotency: IdempotencyKey | None,
    ) -> T:
        require(actor, Area.CATALOGUE, write=True)
        async with self._db.transaction() as uow:

            async def audited() -> T:
                uow.audit(performed(actor, action, about=INSTITUTION, arguments=arguments))
                return await work(uow)

            return await do_once(uow, idempotency, arguments, audited, kind=kind)


def _after(cursor: str | None) -> str:
    after = decode_cursor(cursor, str)
    return after[0] if after else ""


def _given(change: object, names: str) -> dict[str, object]:
    values = {name: getattr(change, name) for name in names.split()}
    return {name: value for name, value in values.items() if value is not None}
