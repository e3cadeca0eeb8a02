"""Discounts over HTTP, for staff."""

from datetime import date
from typing import Annotated, Self

from fastapi import Path
from pydantic import BaseModel, Field

from api.bodies import Body, MoneyOut, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.moments import Day
from api.routes.courses import CatalogueWriter
from api.routes.quotes import EnrolmentReader
from api.routing import Chapter
from crm.courses.fees.models import DiscountRule, DiscountTerms
from crm.courses.fees.terms.service import DiscountChange

router = Chapter(prefix="/v1/discounts", tags=["fees"])


class DiscountTermsOut(Out):
    """A discount: how much of what, when, how often and by whom it may be used."""

    code: str
    percent: int
    cap: MoneyOut
    active: bool
    valid_from: date | None
    valid_until: date | None
    usage_limit: int | None
    rule: DiscountRule

    @classmethod
    def of(cls, terms: DiscountTerms) -> Self:
        """Return a discount for the wire."""
        return cls.model_validate(terms)


class UsedDiscountOut(DiscountTermsOut):
    """A discount and how many quotes that stand carry it."""

    used: int


class DiscountPage(BaseModel):
    """A page of discounts."""

    items: list[UsedDiscountOut]
    next_cursor: str | None


class DiscountPatch(Body):
    """The fields to change; absent and null ones stay."""

    active: bool | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None
    usage_limit: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    rule: DiscountRule | None = None


@router.get("", summary="List discounts")
async def list_discounts(
    staff: EnrolmentReader, services: ServicesDep, page: PageDep
) -> DiscountPage:
    """Return discounts by code, with how often each is used."""
    found = await services.fees.terms.list_discounts(
        cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [
        UsedDiscountOut(**DiscountTermsOut.of(state.terms).model_dump(), used=state.used)
        for state in found.items
    ]
    return DiscountPage(items=items, next_cursor=found.next_cursor)


@router.patch("/{code}", summary="Change a discount")
async def change_discount(
    code: Annotated[str, Path(max_length=40, description="The discount's code")],
    body: DiscountPatch,
    staff: CatalogueWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> DiscountTermsOut:
    """Change when, how often and by whom a discount may be used."""
    changed = await services.fees.terms.change_discount(
        code, DiscountChange(**body.model_dump()), actor=staff, idempotency=idempotency
    )
    return DiscountTermsOut.of(changed)
